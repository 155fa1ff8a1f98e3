//! The log as a feed of one lane.

use std::sync::Arc;

use crate::feed::Pace;
use crate::{Boxed, Delivery, Error, EventStore, Feed, Lane, Place, Places, Position};

/// The whole log, from a stored place on.
pub struct WholeLog {
    store: EventStore,
    places: Arc<dyn Places>,
    /// `None`: ask where to go on.
    after: Option<Position>,
    pace: Pace,
}

impl EventStore {
    /// The log as a [`Feed`] with the one lane [`Lane::Log`].
    pub fn follow(&self, places: Arc<dyn Places>) -> WholeLog {
        WholeLog { store: self.clone(), places, after: None, pace: Pace::default() }
    }
}

impl std::fmt::Debug for WholeLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WholeLog").field("after", &self.after).finish_non_exhaustive()
    }
}

impl WholeLog {
    async fn place(&self) -> Result<Position, Error> {
        let places = self.places.places(&[Lane::Log]).await?;
        let of_log = |(lane, place): &(Lane, Place)| (*lane == Lane::Log).then_some(place.position);
        places.iter().find_map(of_log).ok_or_else(|| Error::Corrupt("the log has no stored place".to_owned()))
    }

    async fn deliveries(&mut self) -> Result<Vec<Delivery>, Error> {
        let after = match self.after {
            Some(after) => after,
            None => *self.after.insert(self.place().await?),
        };
        let stretch = self.pace.next(&self.store, after).await?;
        let (through, events) = (stretch.through(), stretch.events_after(after).to_vec());
        self.after = Some(through);
        Ok(vec![Delivery { lane: Lane::Log, epoch: stretch.epoch, after, events, through, offset: None }])
    }
}

impl Feed for WholeLog {
    fn next(&mut self) -> Boxed<'_, Result<Vec<Delivery>, Error>> {
        Box::pin(self.deliveries())
    }

    fn restart(&mut self) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            (self.after, self.pace) = (None, Pace::default());
            self.after = Some(self.place().await?);
            Ok(())
        })
    }
}
