//! One batch: read it, apply it, and write down how far that is, all or nothing.

use std::time::{Duration, Instant};

use event_store::{Filter, Head, Position, Recorded};

use super::Projector;
use super::places::{Places, check_epoch};
use crate::{Error, ReadModel, progress};

/// With nothing happening for so long, it is looked whether the log is still the same one.
const IDLE: Duration = Duration::from_secs(1);

/// Which events.
pub(super) struct Reading {
    pub(super) after: Position,
    pub(super) until: Position,
    pub(super) limit: u32,
    /// Whether to wait when there is none.
    pub(super) wait: bool,
}

impl Projector {
    /// Applies the next batch to these models. Answers how far they are then, or `None` when somebody else has moved them.
    pub(super) async fn advance(
        &self,
        places: &Places,
        names: &[&'static str],
        reading: Reading,
    ) -> Result<Option<Position>, Error> {
        let after = reading.after;
        let events = self.events(&reading).await;
        // Looked at after reading: so the events are of the log that the progress speaks of.
        let head = self.store.head().await?;
        // Before anything can fail: whoever is stuck falls behind.
        measure(names, after, head);
        let events = events?;
        if head.epoch != places.epoch {
            let model = names.join(", ");
            return Err(Error::OtherEpoch { model, folded: places.epoch, log: head.epoch });
        }
        let Some(last) = events.last().map(|last| last.position) else { return Ok(Some(after)) };
        let began = Instant::now();
        if !self.apply(places, names, after, &events).await? {
            return Ok(None);
        }
        metrics::histogram!("projection_batch_seconds").record(began.elapsed().as_secs_f64());
        self.waiters.advanced(names.iter().copied(), last);
        measure(names, last, head);
        Ok(Some(last))
    }

    /// The next events.
    async fn events(&self, reading: &Reading) -> Result<Vec<Recorded>, Error> {
        let mut events = if reading.wait {
            let mut feed = self.store.feed(reading.after);
            match tokio::time::timeout(IDLE, feed.next(reading.limit)).await {
                Ok(events) => events?,
                Err(_elapsed) => Vec::new(),
            }
        } else {
            self.store.read(reading.after, reading.limit, &Filter::default()).await?
        };
        events.retain(|event| event.position <= reading.until);
        Ok(events)
    }

    /// One transaction: the rows of all these models, and how far they are. `false`: another projector was faster.
    async fn apply(
        &self,
        places: &Places,
        names: &[&'static str],
        after: Position,
        events: &[Recorded],
    ) -> Result<bool, Error> {
        let Some((first, last)) = events.first().zip(events.last()) else { return Ok(true) };
        let mut transaction = self.read.begin().await?;
        // From here on another projector waits; what it finds then is not where it thought it was.
        let found = progress::lock(&mut transaction, names).await?;
        for place in &found {
            check_epoch(place, places.epoch)?;
        }
        if found.len() != names.len() || found.iter().any(|place| place.position != after) {
            return Ok(false);
        }
        let models = self.named(names);
        for model in &models {
            model.apply(&mut transaction, events).await.map_err(|source| poison(*model, first, source))?;
        }
        progress::store(&mut transaction, &models, last.position).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn measure(names: &[&'static str], position: Position, head: Head) {
    let lag = head.position.0.saturating_sub(position.0);
    for name in names {
        metrics::gauge!("projection_position", "model" => *name).set(position.0 as f64);
        metrics::gauge!("projection_lag_events", "model" => *name).set(lag as f64);
    }
}

fn poison(model: &dyn ReadModel, first: &Recorded, source: Error) -> Error {
    Error::Poison {
        model: model.name(),
        position: first.position,
        stream: first.stream.to_string(),
        source: Box::new(source),
    }
}
