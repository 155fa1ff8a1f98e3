//! The running read model: how far it is, and since which log.

use event_store::Position;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Error;
use crate::extent::Extent;
use crate::{Progress, progress};

/// How far the running read model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) version: i32,
    pub(super) epoch: Uuid,
    pub(super) extent: Extent,
}

impl Running {
    /// As this connection sees it. `None`: nobody has folded it yet.
    pub(super) async fn find(connection: &mut PgConnection, model: &str) -> Result<Option<Self>, Error> {
        let all = progress::load(connection).await?;
        Ok(all.iter().find(|progress| progress.name == model).map(Self::from))
    }

    /// The same, locked until the end of the transaction: projectors wait.
    pub(super) async fn lock(connection: &mut PgConnection, model: &str) -> Result<Option<Self>, Error> {
        Ok(progress::lock(connection, &[model]).await?.first().map(Self::from))
    }

    /// All of the log up to here is in its rows.
    pub(super) fn position(&self) -> Position {
        self.extent.least()
    }
}

impl From<&Progress> for Running {
    fn from(progress: &Progress) -> Self {
        Self { version: progress.version, epoch: progress.epoch, extent: Extent::from(progress) }
    }
}
