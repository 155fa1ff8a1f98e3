//! Who reads a partition: by the header rule, with the follower that Jumun's own feed and its relay use.

use event_bus::{Follower, Seen};
use event_store::Position;
use uuid::Uuid;

use super::state::{HEAD, Record, events};

pub(super) const EPOCH: Uuid = Uuid::from_u128(1);

/// What a consumer makes of a partition that it reads from the beginning.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// In this order.
    pub(super) events: Vec<u8>,
    /// It dropped something that it had.
    pub(super) repeated: bool,
    /// It found a hole.
    pub(super) hole: bool,
    /// A hole did not name exactly the events that come next.
    pub(super) misnamed: bool,
}

/// Whether the rule is kept, and what is done about a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Case 4: take nothing, read on, wait for a relay to repeat it.
    Waiting,
    /// Case 4: ask the log.
    Asking,
    /// Case 4 left out: whatever is newer is taken.
    NewerIsNext,
}

pub(super) fn follow(partition: usize, records: &[Record], by: By) -> Taken {
    let mut follower = Follower::new(Position(0), EPOCH);
    let mut taken = Taken::default();
    for record in records {
        let (position, prev) = (Position(u64::from(record.position)), Position(u64::from(record.prev)));
        let prev = if by == By::NewerIsNext { Position(0) } else { prev };
        let mut seen = follower.see(position, prev, EPOCH);
        if let Seen::Missing { after, until } = seen {
            taken.hole = true;
            let missing = between(partition, after, until);
            let next = events(partition, HEAD);
            let next = next.iter().skip(taken.events.len()).take(missing.len());
            taken.misnamed |= missing.is_empty()
                || !next.eq(missing.iter())
                || missing.last().map(|last| u64::from(*last)) != Some(until.0);
            if by == By::Asking {
                taken.events.extend(missing);
                follower.filled(until);
                seen = follower.see(position, prev, EPOCH);
            }
        }
        match seen {
            Seen::Next if record.event => taken.events.push(record.position),
            Seen::Known => taken.repeated = true,
            _ => {}
        }
    }
    taken
}

fn between(partition: usize, after: Position, until: Position) -> Vec<u8> {
    let all = events(partition, HEAD);
    all.into_iter().filter(|event| after.0 < u64::from(*event) && u64::from(*event) <= until.0).collect()
}
