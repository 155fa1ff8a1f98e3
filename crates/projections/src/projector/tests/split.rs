//! The log as a feed of partitions: what Kafka delivers, without Kafka. It can lose what it has delivered last, and repeat itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use event_store::{
    Boxed, Delivery, Error, EventStore, Feed, Filter, Lane, Place, Places, Position, Received,
};

use crate::projector::Follow;

/// Events read at once: few, so that there are many deliveries.
const PAGE: u32 = 20;

/// The partitions of a log that one consumer has.
pub(super) struct Split {
    store: EventStore,
    places: Arc<dyn Places>,
    lanes: Vec<Lane>,
    /// Up to where each lane is delivered.
    at: BTreeMap<Lane, Position>,
    /// Every so many reads the deliveries are lost on the way.
    loses: Option<u32>,
    reads: u32,
}

/// Follows those of so many partitions of every topic that are chosen by their numbers.
pub(super) fn split(
    store: &EventStore,
    partitions: u32,
    chosen: impl Fn(u32) -> bool + Send + Sync + 'static,
    loses: Option<u32>,
) -> Follow {
    let (store, chosen) = (store.clone(), Arc::new(chosen));
    let open = move |places: Arc<dyn Places>,
                     topics: Vec<event_store::Topic>|
          -> Boxed<'static, Result<Box<dyn Feed>, Error>> {
        let (store, chosen) = (store.clone(), chosen.clone());
        Box::pin(async move {
            let mine = |lane: &Lane| match lane {
                Lane::Partition { topic, partition, .. } => topics.contains(topic) && chosen(*partition),
                Lane::Log => false,
            };
            let lanes = Lane::all(partitions).filter(mine).collect();
            let mut feed = Split { store, places, lanes, at: BTreeMap::new(), loses, reads: 0 };
            feed.restart().await?;
            Ok(Box::new(feed) as Box<dyn Feed>)
        })
    };
    Follow::Feed { open: Arc::new(open), partitions }
}

impl Split {
    /// The next page, from where the lane is that is least far.
    async fn read(&mut self) -> Result<Vec<Delivery>, Error> {
        let from = self.at.values().min().copied().unwrap_or_default();
        let page = self.store.read_each(from, PAGE, &Filter::default()).await?;
        let epoch = self.store.head().await?.epoch;
        let Some(through) = page.last().map(position) else { return Ok(Vec::new()) };
        let mut deliveries = Vec::new();
        for (lane, at) in &mut self.at {
            if *at >= through {
                continue;
            }
            let mine = |event: &&Received| position(event) > *at && lane.holds(stream(event));
            let events = page.iter().filter(mine).cloned().collect();
            deliveries.push(Delivery {
                lane: *lane,
                epoch,
                after: *at,
                events,
                through,
                offset: Some(through.0 as i64),
            });
            *at = through;
        }
        Ok(deliveries)
    }
}

fn position(event: &Received) -> Position {
    event.as_ref().map_or_else(|unreadable| unreadable.position, |recorded| recorded.position)
}

fn stream(event: &Received) -> &domain::StreamId {
    event.as_ref().map_or_else(|unreadable| &unreadable.stream, |recorded| &recorded.stream)
}

impl Feed for Split {
    fn next(&mut self) -> Boxed<'_, Result<Vec<Delivery>, Error>> {
        Box::pin(async move {
            loop {
                let deliveries = self.read().await?;
                if deliveries.is_empty() {
                    self.store.wake().beyond(Position(u64::MAX), Duration::from_millis(5)).await;
                    continue;
                }
                self.reads += 1;
                if self.loses.is_none_or(|every| !self.reads.is_multiple_of(every)) {
                    return Ok(deliveries);
                }
            }
        })
    }

    fn restart(&mut self) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            let places = self.places.places(&self.lanes).await?;
            self.at = places.into_iter().map(|(lane, Place { position, .. })| (lane, position)).collect();
            Ok(())
        })
    }
}
