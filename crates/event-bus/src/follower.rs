//! The rule by which a lane on Kafka is read as the log, each event once and in order, whatever was repeated, lost, or sent by
//! two relays at once. It needs three headers of a record and remembers one position; docs/following-kafka.md says it in words.

use event_store::Position;
use uuid::Uuid;

/// Where a follower is in one lane: all of the lane up to there is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follower {
    position: Position,
    epoch: Uuid,
}

/// What a record is to a follower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The next one: take it. The follower is at its position now.
    Next,
    /// Taken already: drop it.
    Known,
    /// Events of the lane after one position, up to and with another, have not come. Take nothing of this lane before they have:
    /// a relay may still repeat them, and the log has them.
    Missing {
        /// All up to here is taken.
        after: Position,
        /// The event at this position is missing for certain; others between may be.
        until: Position,
    },
    /// Its position is one of another log, and means nothing here: stop.
    OtherEpoch,
}

impl Follower {
    /// Goes on after a place in the log of that epoch.
    pub fn new(position: Position, epoch: Uuid) -> Self {
        Self { position, epoch }
    }

    /// All of the lane up to here is taken.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Of which log.
    pub fn epoch(&self) -> Uuid {
        self.epoch
    }

    /// Looks at the next record: its own position, that of the event before it in its partition, and its epoch. A watermark is a
    /// record without an event: it says that there is nothing between `prev` and its position.
    pub fn see(&mut self, position: Position, prev: Position, epoch: Uuid) -> Seen {
        if epoch != self.epoch {
            return Seen::OtherEpoch;
        }
        if position <= self.position {
            return Seen::Known;
        }
        if prev > self.position {
            return Seen::Missing { after: self.position, until: prev };
        }
        self.position = position;
        Seen::Next
    }

    /// What was missing up to there came from elsewhere.
    pub fn filled(&mut self, until: Position) {
        self.position = self.position.max(until);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EPOCH: Uuid = Uuid::from_u128(7);

    /// A record as it lies in a partition.
    #[derive(Debug, Clone, Copy)]
    struct Sent {
        position: u64,
        prev: u64,
        event: bool,
    }

    /// What one relay sends: the events from an index on, in order, some of them lost, with a watermark here and there.
    fn relay(events: &[u64], from: usize, lost: &[bool], marks: &[bool]) -> Vec<Sent> {
        let mut sent = Vec::new();
        for (index, position) in events.iter().copied().enumerate().skip(from) {
            let prev = if index == 0 { 0 } else { events[index - 1] };
            if !lost[index] {
                sent.push(Sent { position, prev, event: true });
            }
            if marks[index] {
                let next = events.get(index + 1).copied().unwrap_or(position + 5);
                sent.push(Sent { position: next - 1, prev: position, event: false });
            }
        }
        sent
    }

    /// Lays the relays' records into one partition, each relay's in its order.
    fn interleave(mut relays: Vec<Vec<Sent>>, choices: &[usize]) -> Vec<Sent> {
        let mut partition = Vec::new();
        relays.iter_mut().for_each(|relay| relay.reverse());
        for choice in choices.iter().cycle() {
            relays.retain(|relay| !relay.is_empty());
            if relays.is_empty() {
                break;
            }
            let chosen = choice % relays.len();
            partition.extend(relays[chosen].pop());
        }
        partition
    }

    fn follow(events: &[u64], partition: &[Sent]) -> Vec<u64> {
        let mut follower = Follower::new(Position(0), EPOCH);
        let mut taken = Vec::new();
        for sent in partition {
            let before = follower.position();
            match follower.see(Position(sent.position), Position(sent.prev), EPOCH) {
                Seen::Next if sent.event => taken.push(sent.position),
                Seen::Next => assert_eq!(follower.position(), Position(sent.position)),
                Seen::Known => assert!(sent.position <= before.0),
                Seen::Missing { after, until } => {
                    assert_eq!((after, until), (before, Position(sent.prev)));
                    let missing: Vec<_> =
                        events.iter().filter(|event| after.0 < **event && **event <= until.0).collect();
                    // Exactly the events that come next, and nothing that is there already.
                    let next = &events[taken.len()..];
                    assert!(!missing.is_empty());
                    assert_eq!(missing, next[..missing.len()].iter().collect::<Vec<_>>());
                    assert_eq!(missing.last(), Some(&&until.0));
                }
                Seen::OtherEpoch => panic!("there is one epoch only"),
            }
            assert_eq!(taken, events[..taken.len()], "each once, in order, none left out");
        }
        taken
    }

    fn lane() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::btree_set(1u64..500, 1..40).prop_map(|events| events.into_iter().collect())
    }

    fn sender() -> impl Strategy<Value = (prop::sample::Index, Vec<bool>, Vec<bool>)> {
        let flags = || prop::collection::vec(any::<bool>(), 40);
        (any::<prop::sample::Index>(), flags(), flags())
    }

    proptest! {
        #[test]
        fn whatever_is_repeated_and_lost_each_event_is_taken_once_and_in_order(
            events in lane(),
            senders in prop::collection::vec(sender(), 1..4),
            choices in prop::collection::vec(0usize..4, 1..50),
        ) {
            let lossy = senders.iter().map(|(from, lost, marks)| relay(&events, from.index(events.len()), lost, marks));
            let mut partition = interleave(lossy.collect(), &choices);
            let some = follow(&events, &partition);
            prop_assert_eq!(&some, &events[..some.len()]);
            // At last a relay finds out what is missing and repeats it.
            partition.extend(relay(&events, some.len(), &[false; 40], &[true; 40]));
            prop_assert_eq!(follow(&events, &partition), events);
        }

        #[test]
        fn what_is_missing_can_come_from_elsewhere(
            events in lane(),
            sender in sender(),
        ) {
            let mut follower = Follower::new(Position(0), EPOCH);
            let mut taken = Vec::new();
            for sent in relay(&events, 0, &sender.1, &sender.2) {
                let (position, prev) = (Position(sent.position), Position(sent.prev));
                if let Seen::Missing { after, until } = follower.see(position, prev, EPOCH) {
                    taken.extend(events.iter().copied().filter(|event| after.0 < *event && *event <= until.0));
                    follower.filled(until);
                    // A watermark may say no more than what was missing.
                    let known = sent.position == until.0;
                    let expected = if known { Seen::Known } else { Seen::Next };
                    prop_assert_eq!(follower.see(position, prev, EPOCH), expected);
                }
                if sent.event {
                    taken.push(sent.position);
                }
            }
            prop_assert_eq!(&taken, &events[..taken.len()]);
        }
    }

    #[test]
    fn a_record_of_another_log_is_never_taken() {
        let mut follower = Follower::new(Position(3), EPOCH);
        assert_eq!(follower.see(Position(4), Position(3), Uuid::from_u128(8)), Seen::OtherEpoch);
        assert_eq!(follower.position(), Position(3));
    }

    #[test]
    fn a_place_never_goes_back() {
        let mut follower = Follower::new(Position(9), EPOCH);
        follower.filled(Position(4));
        assert_eq!(follower.position(), Position(9));
    }
}
