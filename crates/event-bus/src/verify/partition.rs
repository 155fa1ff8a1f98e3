//! One partition, as somebody new reads it.

use std::hash::{DefaultHasher, Hash, Hasher};

use event_store::{Lane, Position, Raw};
use rdkafka::Message;
use rdkafka::message::BorrowedMessage;
use uuid::Uuid;

use super::finding::Finding;
use crate::envelope::{self, Envelope, Record};
use crate::follower::{Follower, Seen};

/// What was read of a partition.
pub(super) struct Partition {
    lane: Lane,
    follower: Follower,
    /// The events that a follower takes, by position, each with the digest of all that it says.
    taken: Vec<(Position, u64)>,
    /// Read up to this offset.
    pub(super) offset: i64,
    /// Records of any kind.
    pub(super) records: u64,
    /// Records of events that were taken before.
    pub(super) repeated: u64,
    pub(super) foreign: Finding,
    pub(super) misplaced: Finding,
    /// What has not come in its place, as far as it has not come later.
    missing: Option<Position>,
}

impl Partition {
    pub(super) fn new(lane: Lane, epoch: Uuid) -> Self {
        Self {
            lane,
            follower: Follower::new(Position(0), epoch),
            taken: Vec::new(),
            offset: 0,
            records: 0,
            repeated: 0,
            foreign: Finding::default(),
            misplaced: Finding::default(),
            missing: None,
        }
    }

    /// All of it up to here was read without a hole.
    pub(super) fn position(&self) -> Position {
        self.follower.position()
    }

    pub(super) fn taken(&self) -> &[(Position, u64)] {
        &self.taken
    }

    /// Looks at the next record.
    pub(super) fn see(&mut self, message: &BorrowedMessage<'_>) {
        let offset = message.offset();
        (self.offset, self.records) = (offset + 1, self.records + 1);
        let record = match envelope::parse(message) {
            Ok(record) => record,
            Err(malformed) => return self.foreign.found(|| malformed.to_string()),
        };
        if let Record::Event(Envelope { raw, .. }) = &record
            && !self.lane.holds(&raw.stream)
        {
            let lane = self.lane;
            self.misplaced.found(|| format!("{} is at offset {offset} of {lane}", raw.stream));
        }
        self.follow(offset, record);
    }

    fn follow(&mut self, offset: i64, record: Record) {
        let (position, prev, epoch) = (record.position(), record.prev(), record.epoch());
        match (self.follower.see(position, prev, epoch), record) {
            (Seen::Next, Record::Event(Envelope { raw, .. })) => {
                self.taken.push((position, digest(&raw)));
                self.missing = None;
            }
            (Seen::Next, Record::Watermark(_)) => self.missing = None,
            (Seen::Known, Record::Event(Envelope { raw, .. })) => self.again(offset, &raw),
            (Seen::Known, Record::Watermark(_)) => {}
            (Seen::Missing { until, .. }, _) => self.missing = self.missing.max(Some(until)),
            (Seen::OtherEpoch, _) => {
                let lane = self.lane;
                self.foreign.found(|| format!("offset {offset} of {lane} is of the log {epoch}"));
            }
        }
    }

    /// What is repeated says the same again.
    fn again(&mut self, offset: i64, raw: &Raw) {
        self.repeated += 1;
        let found = self.taken.binary_search_by_key(&raw.position, |(position, _)| *position);
        if found.is_ok_and(|index| self.taken[index].1 == digest(raw)) {
            return;
        }
        let (lane, position) = (self.lane, raw.position);
        let what = if found.is_ok() { "says something else than before" } else { "comes after its place" };
        self.foreign.found(|| format!("position {position} at offset {offset} of {lane} {what}"));
    }

    /// What is missing of the log up to there.
    pub(super) fn missing_before(&self, head: Position) -> Finding {
        let (lane, after) = (self.lane, self.position());
        let mut finding = Finding::default();
        if after < head {
            finding.found(|| match self.missing {
                Some(until) => format!("{lane} lacks events after position {after} up to {until}"),
                None => format!("{lane} ends at position {after} of {head}: does the relay run?"),
            });
        }
        finding
    }
}

/// All that an event says, in one number. Its position is compared by itself.
pub(super) fn digest(raw: &Raw) -> u64 {
    let mut hasher = DefaultHasher::new();
    (raw.event_id, raw.stream.as_str(), raw.version, &raw.type_name, raw.schema_version).hash(&mut hasher);
    (raw.recorded_at, raw.command_id, raw.data.get(), &raw.sealed).hash(&mut hasher);
    raw.subject.map(|subject| subject.0).hash(&mut hasher);
    let metadata = serde_json::to_string(&raw.metadata);
    metadata.unwrap_or_else(|error| unreachable!("metadata is plain data: {error}")).hash(&mut hasher);
    hasher.finish()
}
