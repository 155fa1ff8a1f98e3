//! What somebody makes of the events, and how far they are in each lane: one of it, as the tables of a read model are one.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard};

use event_store::{Boxed, Delivery, Error, EventStore, Filter, Lane, Place, Places, Position, Received};
use uuid::Uuid;

#[derive(Debug, Default)]
pub(crate) struct Kept {
    lanes: Mutex<BTreeMap<Lane, Taken>>,
    /// So often the places cannot be said: the database is away.
    away: AtomicU32,
}

#[derive(Debug, Default)]
struct Taken {
    position: Position,
    offset: Option<i64>,
    events: Vec<(Position, Uuid)>,
    /// Who delivered, one after the other.
    owners: Vec<usize>,
}

impl Places for Kept {
    fn places<'a>(&'a self, lanes: &'a [Lane]) -> Boxed<'a, Result<Vec<(Lane, Place)>, Error>> {
        Box::pin(async move {
            let away = self.away.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
            if away.is_ok() {
                return Err(Error::Unavailable(sqlx::Error::PoolTimedOut));
            }
            let kept = self.lanes();
            let place = |lane: &Lane| {
                let taken = kept.get(lane);
                let place = taken.map(|taken| Place { position: taken.position, offset: taken.offset });
                (*lane, place.unwrap_or(Place { position: Position(0), offset: None }))
            };
            Ok(lanes.iter().map(place).collect())
        })
    }
}

impl Kept {
    fn lanes(&self) -> MutexGuard<'_, BTreeMap<Lane, Taken>> {
        self.lanes.lock().unwrap()
    }

    /// Everything up to there was taken before, elsewhere: nothing is known of Kafka.
    pub(crate) fn at(position: Position, lanes: impl IntoIterator<Item = Lane>) -> Self {
        let taken = |lane| (lane, Taken { position, ..Taken::default() });
        let lanes = lanes.into_iter().map(taken).collect();
        Self { lanes: Mutex::new(lanes), ..Self::default() }
    }

    pub(crate) fn away(times: u32) -> Self {
        Self { away: AtomicU32::new(times), ..Self::default() }
    }

    /// Takes what is new, as a projector does, and holds the delivery to what a feed promises.
    pub(crate) fn take(&self, deliveries: Vec<Delivery>) {
        self.take_of(0, deliveries);
    }

    /// The same, of one of several followers.
    pub(crate) fn take_of(&self, owner: usize, deliveries: Vec<Delivery>) {
        assert!(!deliveries.is_empty(), "a call that has waited brings something");
        let mut lanes = self.lanes();
        for delivery in deliveries {
            let taken = lanes.entry(delivery.lane).or_default();
            assert!(delivery.after <= taken.position, "{}: a hole before {delivery:?}", delivery.lane);
            let mut before = delivery.after;
            for received in &delivery.events {
                let (position, event_id) = named(received);
                assert!(before < position && position <= delivery.through, "{delivery:?}");
                before = position;
                if position > taken.position {
                    taken.events.push((position, event_id));
                }
            }
            if delivery.through > taken.position {
                taken.position = delivery.through;
                taken.offset = delivery.offset;
                if taken.owners.last() != Some(&owner) {
                    taken.owners.push(owner);
                }
            }
        }
    }

    /// The least place of these lanes.
    pub(crate) fn position(&self, lanes: impl IntoIterator<Item = Lane>) -> Position {
        let kept = self.lanes();
        let of = |lane| kept.get(&lane).map_or(Position(0), |taken| taken.position);
        lanes.into_iter().map(of).min().unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.lanes().values().map(|taken| taken.events.len()).sum()
    }

    /// How often each lane went from one follower to another.
    pub(crate) fn moves(&self) -> HashMap<Lane, Vec<usize>> {
        self.lanes().iter().map(|(lane, taken)| (*lane, taken.owners.clone())).collect()
    }

    /// What was taken is the log after a position: each lane's events, in order, each once, none left out.
    pub(crate) async fn is_the_log(
        &self,
        store: &EventStore,
        after: Position,
        lanes: impl IntoIterator<Item = Lane>,
    ) {
        let log = store.read_raw(after, u32::MAX, &Filter::default()).await.unwrap();
        let kept = self.lanes();
        for lane in lanes {
            let of_lane = log.iter().filter(|raw| lane.holds(&raw.stream));
            let expected: Vec<_> = of_lane.map(|raw| (raw.position, raw.event_id)).collect();
            let found = kept.get(&lane).map_or(&[][..], |taken| &taken.events[..]);
            assert_eq!(found, expected, "{lane}");
        }
    }
}

pub(crate) fn named(received: &Received) -> (Position, Uuid) {
    match received {
        Ok(event) => (event.position, event.event_id),
        Err(unreadable) => (unreadable.position, unreadable.event_id),
    }
}
