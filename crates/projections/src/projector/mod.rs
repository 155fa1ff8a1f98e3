//! The projector: follows the log, itself or on Kafka, and applies each batch to all read models, in one transaction with how far
//! they have come.
//!
//! In the log, models that have come equally far go together. One that was added later begins at the first event and catches up
//! batch by batch beside the others, until it has joined them; on Kafka this is what joining the partitions begins with. One whose
//! rows have another shape now keeps the old ones until it is rebuilt beside them (see [`crate::rebuild`]).

mod batch;
mod following;
mod handover;
mod log;
mod places;
mod stepping;
mod stored;
mod take;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use event_store::{Boxed, EventStore, Feed, Patient, Topic};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::reached::Waiters;
use crate::rebuild::{keep_renewed, keep_tidy};
use crate::schema;
use crate::{Error, ReadModel};
use following::Following;
use places::Places;
use stepping::keep_stepping;

/// A look that takes longer goes over a connection that leads nowhere.
const LOOK_MAX: Duration = Duration::from_secs(10);
/// Events in one transaction, at most.
const BATCH: u32 = 500;

/// Opens a feed of these topics' partitions. Where they are to begin, the stored places say.
pub type OpenFeed = Arc<
    dyn Fn(
            Arc<dyn event_store::Places>,
            Vec<Topic>,
        ) -> Boxed<'static, Result<Box<dyn Feed>, event_store::Error>>
        + Send
        + Sync,
>;

/// What read models are folded from.
#[derive(Clone)]
pub enum Follow {
    /// The log itself.
    Log,
    /// The partitions of a feed; and the log itself, for those that must catch up first.
    Feed {
        /// Opens it.
        open: OpenFeed,
        /// How many partitions every topic has.
        partitions: u32,
    },
}

impl std::fmt::Debug for Follow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Log => f.write_str("Log"),
            Self::Feed { partitions, .. } => {
                f.debug_struct("Feed").field("partitions", partitions).finish_non_exhaustive()
            }
        }
    }
}

/// Folds events into these read models, or all, until it is told to stop. Any number may run on one database: in the log one applies
/// at a time, and partitions are shared among them.
///
/// An outage is waited for with growing pauses. An event that a model cannot take is parked with its stream, for that model (see
/// [`crate::parked`]); no event is ever skipped.
///
/// # Errors
/// [`Error::OtherEpoch`], [`Error::Newer`] and [`Error::Broken`], which no waiting mends; [`Error::Unknown`] for a model that there
/// is not.
pub async fn run(
    read: PgPool,
    store: EventStore,
    follow: Follow,
    only: Option<Vec<String>>,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    tokio::select! {
        folded = fold(&read, &store, || chosen(only.as_deref()), follow, &shutdown) => folded,
        never = keep_tidy(&read) => match never {},
    }
}

pub(crate) async fn fold(
    read: &PgPool,
    store: &EventStore,
    models: impl Fn() -> Result<Vec<Box<dyn ReadModel>>, Error>,
    follow: Follow,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    tokio::select! {
        followed = follow_all(read, store, &models, follow, shutdown) => followed,
        never = keep_renewed(read, store, models()?) => match never {},
    }
}

async fn follow_all(
    read: &PgPool,
    store: &EventStore,
    models: &impl Fn() -> Result<Vec<Box<dyn ReadModel>>, Error>,
    follow: Follow,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let projector = Projector::new(read.clone(), store.clone(), models()?);
    let Follow::Feed { open, partitions } = follow else { return projector.run(shutdown).await };
    let following = Following::new(Projector::new(read.clone(), store.clone(), models()?), open, partitions);
    let catching_up = Projector { partitions: Some(partitions), ..projector };
    tokio::try_join!(catching_up.run(shutdown), keep_stepping(following, shutdown)).map(|_| ())
}

/// The models of these names, or all.
fn chosen(only: Option<&[String]>) -> Result<Vec<Box<dyn ReadModel>>, Error> {
    let mut models = crate::models();
    let Some(only) = only else { return Ok(models) };
    if let Some(unknown) = only.iter().find(|name| !models.iter().any(|model| model.name() == **name)) {
        return Err(Error::Unknown(unknown.clone()));
    }
    models.retain(|model| only.iter().any(|name| name == model.name()));
    Ok(models)
}

/// What folds.
pub(crate) struct Projector {
    read: PgPool,
    /// The same, for looks.
    looks: Patient,
    /// Where batches are taken.
    folding: PgPool,
    /// How long a batch may take.
    attempt_max: Duration,
    store: EventStore,
    models: Vec<Box<dyn ReadModel>>,
    waiters: Arc<Waiters>,
    /// How far each model is in the log, as far as this projector knows; `None`: look.
    places: Option<Places>,
    /// Models that have caught up follow so many partitions of their topics; `None`: they stay in the log.
    partitions: Option<u32>,
}

impl Projector {
    pub(crate) fn new(read: PgPool, store: EventStore, models: Vec<Box<dyn ReadModel>>) -> Self {
        let (waiters, folding) = (Waiters::of(&read), schema::for_folding(&read));
        let looks = Patient::new(read.clone(), LOOK_MAX);
        let attempt_max = take::ATTEMPT_MAX;
        Self { read, looks, folding, attempt_max, store, models, waiters, places: None, partitions: None }
    }

    pub(crate) async fn run(self, shutdown: &CancellationToken) -> Result<(), Error> {
        keep_stepping(self, shutdown).await
    }

    fn named<'a>(&'a self, names: &[&str]) -> Vec<&'a dyn ReadModel> {
        self.models.iter().map(AsRef::as_ref).filter(|model| names.contains(&model.name())).collect()
    }
}
