//! What is taken together: the events of one lane that can be read, and those that cannot.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use domain::StreamId;
use event_store::{Delivery, Lane, Place, Position, Recorded, Topic, Unreadable};
use uuid::Uuid;

use crate::ReadModel;
use crate::parked::Refusal;

/// A delivery; see there for what `after` and `through` say.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) lane: Lane,
    pub(super) epoch: Uuid,
    pub(super) after: Position,
    pub(super) through: Position,
    pub(super) offset: Option<i64>,
    pub(super) events: Vec<Recorded>,
    pub(super) unreadable: Vec<Unreadable>,
}

impl From<Delivery> for Batch {
    fn from(delivery: Delivery) -> Self {
        let (mut events, mut unreadable) = (Vec::with_capacity(delivery.events.len()), Vec::new());
        for received in delivery.events {
            match received {
                Ok(recorded) => events.push(recorded),
                Err(event) => unreadable.push(event),
            }
        }
        let Delivery { lane, epoch, after, through, offset, .. } = delivery;
        Self { lane, epoch, after, through, offset, events, unreadable }
    }
}

/// What one model is to take of some batches.
#[derive(Debug)]
pub(super) struct Share<'a> {
    pub(super) events: Cow<'a, [Recorded]>,
    /// Events that cannot be read: the first of each stream. Later ones of their streams are not among the events.
    pub(super) refusals: Vec<Refusal>,
}

impl<'a> Share<'a> {
    /// What is above the model's place in each of these batches, without what is parked.
    pub(super) fn of(
        model: &dyn ReadModel,
        batches: &[(&'a Batch, Place)],
        parked: Option<&HashSet<StreamId>>,
    ) -> Self {
        if let (&[(batch, place)], None) = (batches, parked)
            && batch.unreadable.is_empty()
        {
            let from = batch.events.partition_point(|event| event.position <= place.position);
            let events = Cow::Borrowed(batch.events.get(from..).unwrap_or_default());
            return Self { events, refusals: Vec::new() };
        }
        let waits = |stream: &StreamId| parked.is_some_and(|parked| parked.contains(stream));
        let wanted = |stream: &StreamId| concerns(model, stream) && !waits(stream);
        let mut stops: HashMap<&StreamId, &Unreadable> = HashMap::new();
        for (batch, place) in batches {
            let new = batch.unreadable.iter().filter(|event| event.position > place.position);
            new.filter(|event| wanted(&event.stream)).for_each(|event| {
                stops.entry(&event.stream).or_insert(event);
            });
        }
        let goes =
            |event: &Recorded| stops.get(&event.stream).is_none_or(|stop| event.version < stop.version);
        let mut events = Vec::new();
        for (batch, place) in batches {
            let new = batch.events.iter().filter(|event| event.position > place.position);
            events.extend(new.filter(|event| wanted(&event.stream) && goes(event)).cloned());
        }
        events.sort_by_key(|event| event.position);
        Self { events: events.into(), refusals: stops.into_values().map(Refusal::from).collect() }
    }
}

/// Whether a model folds the events of a stream.
pub(super) fn concerns(model: &dyn ReadModel, stream: &StreamId) -> bool {
    model.topics().contains(&Topic::of(stream.category()))
}
