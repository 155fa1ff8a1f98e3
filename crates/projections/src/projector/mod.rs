//! The projector: follows the log and applies each batch to all read models, in one transaction with how far they have come.
//!
//! Models that have come equally far go together. One that was added later, or whose rows have another shape now, begins at the
//! first event and catches up batch by batch beside the others, until it has joined them.

mod batch;
mod places;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use event_store::{EventStore, Position};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::reached::Waiters;
use crate::{Error, ReadModel};
use places::Places;

/// Events in one transaction, at most.
const BATCH: u32 = 500;
/// The pause after a first failure; each further one is twice as long, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Folds the log into all read models until it is told to stop. Any number may run on one database: one applies at a time.
///
/// An outage, and an event that a model cannot take, are tried again with growing pauses; no event is ever skipped.
///
/// # Errors
/// [`Error::OtherEpoch`] and [`Error::Newer`], which no waiting mends.
pub async fn run(read: PgPool, store: EventStore, shutdown: CancellationToken) -> Result<(), Error> {
    Projector::new(read, store, crate::models()).run(&shutdown).await
}

/// What folds.
pub(crate) struct Projector {
    read: PgPool,
    store: EventStore,
    models: Vec<Box<dyn ReadModel>>,
    waiters: Arc<Waiters>,
    /// How far each model is, as far as this projector knows; `None`: look.
    places: Option<Places>,
    /// Up to here events go one by one: one of them cannot be taken, and those before it should not wait for it.
    careful_until: Position,
}

impl Projector {
    pub(crate) fn new(read: PgPool, store: EventStore, models: Vec<Box<dyn ReadModel>>) -> Self {
        let waiters = Waiters::of(&read);
        Self { read, store, models, waiters, places: None, careful_until: Position(0) }
    }

    pub(crate) async fn run(mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let mut pause = PAUSE;
        loop {
            let stepped = tokio::select! {
                biased;
                // What is dropped in the middle of a transaction has not happened.
                () = shutdown.cancelled() => return Ok(()),
                stepped = self.step() => stepped,
            };
            let Err(error) = stepped else {
                pause = PAUSE;
                continue;
            };
            self.places = None;
            if matches!(error, Error::OtherEpoch { .. } | Error::Newer { .. }) {
                tracing::error!(%error, "the projector stops: {error}");
                return Err(error);
            }
            report(&error, pause);
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One batch for each group of models, the foremost first. With nothing to catch up, waits for something to happen.
    pub(crate) async fn step(&mut self) -> Result<(), Error> {
        let places = match self.places.take() {
            Some(places) => places,
            None => Places::find(&self.read, &self.store, &self.models).await?,
        };
        let mut next = places.clone();
        let groups = places.groups();
        let mut before = None;
        for (position, names) in &groups {
            let reading = batch::Reading {
                after: *position,
                until: before.unwrap_or(Position(u64::MAX)),
                limit: if *position < self.careful_until { 1 } else { BATCH },
                wait: groups.len() == 1,
            };
            before = Some(*position);
            match self.advance(&places, names, reading).await {
                Ok(Some(reached)) => next.advance(names, reached),
                // Another projector was faster: look again where it is.
                Ok(None) => return Ok(()),
                Err(error) if error.is_outage() || *position < self.careful_until => return Err(error),
                Err(error @ (Error::OtherEpoch { .. } | Error::Newer { .. })) => return Err(error),
                Err(_) => {
                    // The next look at the same events names the one that cannot be taken.
                    self.careful_until = Position(position.0 + u64::from(BATCH));
                    return Ok(());
                }
            }
        }
        self.places = Some(next);
        Ok(())
    }

    fn named<'a>(&'a self, names: &[&str]) -> Vec<&'a dyn ReadModel> {
        self.models.iter().map(AsRef::as_ref).filter(|model| names.contains(&model.name())).collect()
    }
}

fn report(error: &Error, pause: Duration) {
    let milliseconds = pause.as_millis() as u64;
    match error {
        error if error.is_outage() => {
            tracing::warn!(%error, pause = milliseconds, "the projector tries again: the database does not answer");
        }
        Error::Poison { model, position, stream, source } => tracing::error!(
            model, position = position.0, stream, error = %source, pause = milliseconds,
            "{model} cannot take the event at position {position} of {stream}; no read model goes past it"
        ),
        error => tracing::error!(
            %error, pause = milliseconds,
            "the projector cannot read on in the log; no read model goes past the event"
        ),
    }
}
