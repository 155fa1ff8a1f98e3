//! Where a feed is to go on: what the progress of the models says.

use event_store::{Boxed, EventStore, Lane, Patient, Place};

use crate::{Error, Progress, progress};

/// The places of some models.
pub(super) struct Stored {
    pub(super) looks: Patient,
    pub(super) store: EventStore,
    pub(super) models: Vec<&'static str>,
}

impl Stored {
    /// In each lane that of the model that is least far. A lane that none of them follows yet begins at the end of the log: who
    /// comes to it later takes what it lacks from the log.
    async fn places(&self, lanes: &[Lane]) -> Result<Vec<(Lane, Place)>, Error> {
        // The head first: a model that is handed over in between is at its place, or at an earlier one.
        let head = self.store.head().await?.position;
        let mut all = progress::progress(&self.looks).await?;
        all.retain(|progress| self.models.contains(&progress.name.as_str()));
        let end = Place { position: head, offset: None };
        Ok(lanes.iter().map(|lane| (*lane, least(&all, *lane).unwrap_or(end))).collect())
    }
}

fn least(all: &[Progress], lane: Lane) -> Option<Place> {
    let places = all.iter().filter_map(|progress| progress.place(lane));
    // Of two that are equally far, one may know where that is in the partition.
    places.min_by_key(|place| (place.position, place.offset.unwrap_or(i64::MAX)))
}

impl event_store::Places for Stored {
    fn places<'a>(&'a self, lanes: &'a [Lane]) -> Boxed<'a, Result<Vec<(Lane, Place)>, event_store::Error>> {
        Box::pin(async move {
            Self::places(self, lanes).await.map_err(|error| match error {
                Error::Database(error) => event_store::Error::Unavailable(error),
                Error::Log(error) => error,
                other => event_store::Error::Corrupt(other.to_string()),
            })
        })
    }
}
