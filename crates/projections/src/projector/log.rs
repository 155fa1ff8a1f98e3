//! Following the log itself.

use std::time::Duration;

use event_store::{Delivery, Filter, Head, Lane, Position, Received};

use super::batch::Batch;
use super::places::Places;
use super::stepping::Stepping;
use super::take::{Taken, in_time};
use super::{BATCH, Projector, handover};
use crate::{Error, progress};

/// With nothing happening for so long, it is looked whether the log is still the same one.
const IDLE: Duration = Duration::from_secs(1);

/// Which events.
struct Reading {
    after: Position,
    until: Position,
    /// Whether to wait when there is none.
    wait: bool,
}

impl Stepping for Projector {
    fn step(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        Self::step(self)
    }

    fn look_again(&mut self) {
        self.places = None;
    }
}

impl Projector {
    /// One batch for each group of models, the foremost first. With nothing to catch up, waits for something to happen.
    pub(crate) async fn step(&mut self) -> Result<(), Error> {
        let places = match self.places.take() {
            Some(places) => places,
            None => Places::find(&self.looks, &self.store, &self.models, self.partitions).await?,
        };
        let mut next = places.clone();
        let groups = places.groups();
        if groups.is_empty() {
            return self.rest().await;
        }
        let mut before = None;
        for (position, names) in &groups {
            let until = before.unwrap_or(Position(u64::MAX));
            // Who is to be handed over is not waited for: it may be there already.
            let wait = groups.len() == 1 && self.partitions.is_none();
            before = Some(*position);
            match self.advance(&places, names, Reading { after: *position, until, wait }).await? {
                Some(reached) => next.advance(names, reached),
                // Another projector has moved them: look again where they are.
                None => return Ok(()),
            }
        }
        self.hand_over(&next).await?;
        self.places = Some(next).filter(|next| self.partitions.is_none() && !next.is_partial);
        Ok(())
    }

    /// Applies the next batch to these models. Answers how far they are then, or `None` when somebody else has moved them.
    async fn advance(
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
        let Some(last) = events.last().map(position_of) else { return Ok(Some(after)) };
        let (lane, epoch, through) = (Lane::Log, head.epoch, last);
        let batch = Batch::from(Delivery { lane, epoch, after, events, through, offset: None });
        if self.take(&self.named(names), &[batch]).await? != Taken::All {
            return Ok(None);
        }
        self.waiters.advanced(names.iter().copied(), last);
        measure(names, last, head);
        Ok(Some(last))
    }

    /// The next events.
    async fn events(&self, reading: &Reading) -> Result<Vec<Received>, Error> {
        let mut events = if reading.wait {
            let mut feed = self.store.feed(reading.after);
            match tokio::time::timeout(IDLE, feed.next(BATCH)).await {
                Ok(events) => events?,
                // Nothing has come, or it takes long: a slow answer is waited for.
                Err(_) => self.store.read_each(reading.after, BATCH, &Filter::default()).await?,
            }
        } else {
            match self.store.read(reading.after, BATCH, &Filter::default()).await {
                Ok(events) => events.into_iter().map(Ok).collect(),
                Err(error) if error.is_outage() => return Err(error.into()),
                // One of them cannot be read; the others can.
                Err(_) => self.store.read_each(reading.after, BATCH, &Filter::default()).await?,
            }
        };
        events.retain(|event| position_of(event) <= reading.until);
        Ok(events)
    }

    /// Hands models over that are near the end of the log.
    async fn hand_over(&self, places: &Places) -> Result<(), Error> {
        let Some(partitions) = self.partitions else { return Ok(()) };
        let head = self.store.head().await?.position;
        for (position, names) in places.groups() {
            if head.0.saturating_sub(position.0) > u64::from(BATCH) {
                continue;
            }
            for model in self.named(&names) {
                let handing_over = handover::hand_over(&self.read, model, partitions);
                in_time(self.attempt_max, handing_over).await?;
            }
        }
        Ok(())
    }

    /// All models follow their partitions. Says how far they are, until it is time to look again.
    async fn rest(&self) -> Result<(), Error> {
        let all = progress::progress(&self.looks).await?;
        let head = self.store.head().await?;
        for model in &self.models {
            if let Some(progress) = all.iter().find(|progress| progress.name == model.name()) {
                measure(&[model.name()], progress.position(), head);
            }
        }
        tokio::time::sleep(IDLE).await;
        Ok(())
    }
}

pub(super) fn position_of(received: &Received) -> Position {
    match received {
        Ok(recorded) => recorded.position,
        Err(unreadable) => unreadable.position,
    }
}

fn measure(names: &[&'static str], position: Position, head: Head) {
    let lag = head.position.0.saturating_sub(position.0);
    for name in names {
        metrics::gauge!("projection_position", "model" => *name).set(position.0 as f64);
        metrics::gauge!("projection_lag_events", "model" => *name).set(lag as f64);
    }
}
