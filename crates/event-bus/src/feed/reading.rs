//! One lane while it is read.

use event_store::{Delivery, Error, Lane, Place, Position, Raw, Received};
use rdkafka::Offset;
use uuid::Uuid;

use crate::envelope::Record;
use crate::follower::{Follower, Seen};

/// One lane, and what of it waits to be delivered.
#[derive(Debug)]
pub(super) struct Reading {
    follower: Follower,
    /// Delivered up to here.
    delivered: Position,
    /// What has come since then.
    raws: Vec<Raw>,
    /// After the last record that is taken or dropped.
    offset: Option<i64>,
    /// A record that cannot be taken before what is missing has come.
    ahead: Option<Ahead>,
    /// Why nothing can be taken any more.
    stop: Option<Stop>,
}

/// A record before which something is missing.
#[derive(Debug)]
struct Ahead {
    until: Position,
    record: Record,
    offset: i64,
}

/// What nobody but a person can mend.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// A record of another log.
    OtherEpoch { lane: Lane, offset: i64, record: Uuid, log: Uuid },
    /// A record that no relay wrote.
    Foreign { topic: String, partition: i32, offset: i64, reason: String },
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::OtherEpoch { lane, offset, record, log } => {
                Self::RecordOfOtherEpoch { lane, offset, record, log }
            }
            Stop::Foreign { topic, partition, offset, reason } => {
                Self::ForeignRecord { topic, partition, offset, reason }
            }
        }
    }
}

impl Reading {
    pub(super) fn begin(place: Place, epoch: Uuid) -> Self {
        Self {
            follower: Follower::new(place.position, epoch),
            delivered: place.position,
            raws: Vec::new(),
            offset: place.offset,
            ahead: None,
            stop: None,
        }
    }

    /// Looks at the next record of the partition.
    pub(super) fn see(&mut self, lane: Lane, offset: i64, record: Record) {
        let seen = self.follower.see(record.position(), record.prev(), record.epoch());
        match seen {
            Seen::Next => {
                if let Record::Event(envelope) = record {
                    self.raws.push(envelope.raw);
                }
            }
            Seen::Known => metrics::counter!("kafka_feed_repeated_total").increment(1),
            Seen::Missing { after, until } => {
                metrics::counter!("kafka_feed_holes_total").increment(1);
                tracing::warn!(
                    %lane, offset, after = after.0, until = until.0,
                    "{lane} lacks events after position {after} up to {until}: they are read from the log"
                );
                self.ahead = Some(Ahead { until, record, offset });
                return;
            }
            Seen::OtherEpoch => {
                let (record, log) = (record.epoch(), self.follower.epoch());
                self.stop = Some(Stop::OtherEpoch { lane, offset, record, log });
                return;
            }
        }
        self.offset = Some(offset + 1);
    }

    /// The log has become another one: what is missing is not in it.
    pub(super) fn other_log(&mut self, lane: Lane, log: Uuid) {
        let record = self.follower.epoch();
        if let Some(Ahead { offset, .. }) = self.ahead.take() {
            self.stop = Some(Stop::OtherEpoch { lane, offset, record, log });
        }
    }

    /// The records from here on cannot be taken.
    pub(super) fn stop(&mut self, stop: Stop) {
        self.stop = Some(stop);
    }

    pub(super) fn stopped(&self) -> Option<&Stop> {
        self.stop.as_ref()
    }

    /// What is missing: the events after one position up to another.
    pub(super) fn missing(&self) -> Option<(Position, Position)> {
        self.ahead.as_ref().map(|ahead| (self.follower.position(), ahead.until))
    }

    /// Some of what is missing: now all up to `until` is here.
    pub(super) fn fill(&mut self, lane: Lane, raws: impl Iterator<Item = Raw>, until: Position) {
        self.raws.extend(raws);
        self.follower.filled(until);
        if self.ahead.as_ref().is_some_and(|ahead| ahead.until <= until)
            && let Some(ahead) = self.ahead.take()
        {
            self.see(lane, ahead.offset, ahead.record);
        }
    }

    /// The events that wait to be delivered.
    pub(super) fn raws(&self) -> &[Raw] {
        &self.raws
    }

    /// Whether there is something to deliver.
    pub(super) fn moved(&self) -> bool {
        self.follower.position() > self.delivered
    }

    /// What waits is delivered; `opened` begins with its events.
    pub(super) fn deliver(&mut self, lane: Lane, opened: &mut impl Iterator<Item = Received>) -> Delivery {
        let (after, through) = (self.delivered, self.follower.position());
        let events = opened.take(self.raws.len()).collect();
        self.raws.clear();
        self.delivered = through;
        Delivery { lane, epoch: self.follower.epoch(), after, events, through, offset: self.offset }
    }

    /// Where it goes on, for tools that show it.
    pub(super) fn told(&self) -> Option<Offset> {
        self.offset.map(Offset::Offset)
    }
}
