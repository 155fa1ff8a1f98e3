//! The proof: new and running rows compared as they are at one place in the log.
//!
//! The running side is read in one snapshot together with its progress, and the copy is folded exactly there meanwhile: nobody
//! waits for it.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use super::compare::Sides;
use super::copy::Copy;
use super::running::Running;
use super::{Compared, Differences, Error, Rebuild, Stage};

/// Rows that differ are looked at again so often: the log says less of a person who was just forgotten than it did, and the
/// running rows may not have come so far yet.
const LOOKS: u32 = 3;
/// How long they get to come that far.
const CATCH_UP: Duration = Duration::from_secs(5);

impl Rebuild {
    /// Compares the copy with the running rows.
    pub(super) async fn prove(&mut self, copy: &mut Copy) -> Result<Compared, Error> {
        self.source.meter.begins(Stage::Comparing);
        let mut found = self.compare(copy).await?;
        for _ in 1..LOOKS {
            if !matches!(found, Compared::Different(_)) {
                break;
            }
            let head = self.source.store.head().await?.position;
            let model = self.source.model.name();
            crate::reached(&self.source.read, model, head, Instant::now() + CATCH_UP).await?;
            found = self.compare(copy).await?;
        }
        Ok(found)
    }

    async fn compare(&mut self, copy: &mut Copy) -> Result<Compared, Error> {
        let mut connection = PgConnection::connect_with(&self.source.read.connect_options()).await?;
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut connection).await?;
        let model = self.source.model.name();
        let Some(running) = Running::find(&mut connection, model).await? else {
            return Ok(Compared::NeverFolded);
        };
        copy.cut_like(&mut self.held, &running.extent).await?;
        self.source.fold(copy, running.extent.clone()).await?;
        if copy.extent != running.extent {
            let where_it_is = format!("the running rows of {model} went back while it was rebuilt");
            return Err(crate::Error::Corrupt(where_it_is).into());
        }
        let mut fresh = copy.connect(&self.source.read).await?;
        let sides = Sides { running: &mut connection, fresh: &mut fresh, schema: &copy.schema };
        let differences = sides.compare(self.source.model.tables()).await?;
        fresh.close().await?;
        connection.close().await?;
        if differences == Differences::default() {
            return Ok(Compared::Equal(running.position()));
        }
        Ok(Compared::Different(differences))
    }
}
