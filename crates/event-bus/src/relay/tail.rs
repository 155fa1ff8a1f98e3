//! What is at the end of every partition. After a crash, an error, or another leader only the partitions themselves know what
//! has arrived: each is read from its last acknowledged record on, by the same rule as any consumer reads.

use std::ops::Range;
use std::time::{Duration, Instant};

use event_store::{EventStore, Position};
use rdkafka::Message;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::Error;
use super::lease::Lead;
use super::place::{Layout, Place};
use crate::connection::{Kafka, Session};
use crate::envelope::{Record, parse};
use crate::topics::sign_in;
use crate::{Follower, Seen};

/// A broker that is silent for so long is away.
const SILENT_MAX: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(100);
/// Event ids that are compared with the log at once.
const CHECKED_AT_ONCE: usize = 1_000;

/// Where a partition ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// Its last record that counts.
    pub(crate) place: Place,
    /// All events of the partition up to here are in it.
    pub(crate) complete: Position,
}

/// Reads where all partitions end. Blocks; must run where the runtime allows that.
pub(crate) fn read(
    kafka: &Kafka,
    layout: &Layout,
    store: &EventStore,
    lead: &Lead,
) -> Result<Vec<End>, Error> {
    let mut config = kafka.consumer();
    // It joins no group; the client just wants a name.
    config.set("group.id", format!("{}-relay", kafka.topics)).set("enable.partition.eof", "true");
    let consumer = BaseConsumer::from_config_and_context(&config, kafka.session())
        .map_err(|source| Error::Kafka { doing: "making a consumer", source })?;
    sign_in(kafka, &consumer);
    let mut reading = Reading { consumer, store, lead, unchecked: Vec::new() };
    let mut ends = Vec::with_capacity(layout.len());
    for (topic, partitions) in layout.topics() {
        ends.extend(reading.topic(topic, partitions)?);
    }
    reading.check()?;
    Ok(ends)
}

/// An event that is not compared with the log yet.
struct Unchecked {
    topic: String,
    partition: i32,
    offset: i64,
    position: Position,
    event_id: Uuid,
}

struct Reading<'a> {
    consumer: BaseConsumer<Session>,
    store: &'a EventStore,
    lead: &'a Lead,
    unchecked: Vec<Unchecked>,
}

impl Reading<'_> {
    fn topic(&mut self, topic: &str, partitions: Range<usize>) -> Result<Vec<End>, Error> {
        let mut known: Vec<Option<Place>> =
            self.lead.places[partitions].iter().map(|place| Some(*place)).collect();
        loop {
            match self.pass(topic, &known)? {
                Ok(ends) => return Ok(ends),
                Err(partition) => {
                    tracing::warn!(
                        "the end of {topic}/{partition} is not what was acknowledged there; it is read from its beginning"
                    );
                    known[partition] = None;
                }
            }
        }
    }

    /// Reads every partition to its end. `Err`: that one does not have what was acknowledged in it.
    fn pass(&mut self, topic: &str, known: &[Option<Place>]) -> Result<Result<Vec<End>, usize>, Error> {
        let mut tails = Vec::with_capacity(known.len());
        for (partition, place) in known.iter().enumerate() {
            match self.begin(topic, partition as i32, *place)? {
                Some(tail) => tails.push(tail),
                None => return Ok(Err(partition)),
            }
        }
        self.assign(topic, &tails)?;
        let mut heard = Instant::now();
        while tails.iter().any(|tail| !tail.done) {
            let Some((partition, offset, record)) = self.poll(topic, &mut tails, &mut heard)? else {
                continue;
            };
            if let (Record::Event(event), false) = (&record, tails[partition].done) {
                let (topic, position, event_id) = (topic.to_owned(), event.raw.position, event.raw.event_id);
                let partition = partition as i32;
                self.unchecked.push(Unchecked { topic, partition, offset, position, event_id });
            }
            match tails[partition].see(offset, &record) {
                Fits::Yes => {}
                Fits::NotAcknowledged => return Ok(Err(partition)),
                Fits::OtherLog => {
                    let (topic, known) = (topic.to_owned(), self.lead.epoch);
                    let (partition, found) = (partition as i32, record.epoch());
                    return Err(Error::OtherLog { topic, partition, offset, found, known });
                }
            }
            if self.unchecked.len() >= CHECKED_AT_ONCE {
                self.check()?;
            }
        }
        Ok(Ok(tails.iter().map(Tail::end).collect()))
    }

    /// Where to begin. `None`: what was acknowledged is not there any more.
    fn begin(&self, topic: &str, partition: i32, known: Option<Place>) -> Result<Option<Tail>, Error> {
        let (low, high) = self
            .consumer
            .fetch_watermarks(topic, partition, SILENT_MAX)
            .map_err(|source| Error::Kafka { doing: "asking where partitions end", source })?;
        let (epoch, acknowledged) = (self.lead.epoch, self.lead.position);
        Ok(match known {
            // Nothing is known: the first record tells where it begins, when older ones were deleted.
            None => Some(Tail {
                follower: Follower::new(Position(0), epoch),
                rooted: low == 0,
                ..Tail::between(low, high, Place::default(), epoch)
            }),
            Some(place) => match place.offset {
                Some(offset) if offset >= high => None,
                Some(offset) => {
                    let follower = Follower::new(acknowledged.max(place.through), epoch);
                    let tail = Tail::between(offset.max(low), high, place, epoch);
                    Some(Tail { follower, expected: offset >= low, ..tail })
                }
                None => {
                    let follower = Follower::new(acknowledged, epoch);
                    Some(Tail { follower, ..Tail::between(low, high, place, epoch) })
                }
            },
        })
    }

    fn assign(&self, topic: &str, tails: &[Tail]) -> Result<(), Error> {
        let mut list = TopicPartitionList::new();
        for (partition, tail) in tails.iter().enumerate().filter(|(_, tail)| !tail.done) {
            list.add_partition_offset(topic, partition as i32, Offset::Offset(tail.next))
                .map_err(|source| Error::Kafka { doing: "reading the ends of partitions", source })?;
        }
        self.consumer
            .assign(&list)
            .map_err(|source| Error::Kafka { doing: "reading the ends of partitions", source })
    }

    /// The next record, when there is one in time.
    fn poll(
        &self,
        topic: &str,
        tails: &mut [Tail],
        heard: &mut Instant,
    ) -> Result<Option<(usize, i64, Record)>, Error> {
        let failed = |source| Error::Kafka { doing: "reading the ends of partitions", source };
        match self.consumer.poll(POLL) {
            // Of the topic before this one.
            Some(Ok(message)) if message.topic() != topic => Ok(None),
            Some(Ok(message)) => {
                *heard = Instant::now();
                Ok(Some((message.partition() as usize, message.offset(), parse(&message)?)))
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                *heard = Instant::now();
                tails[partition as usize].done = true;
                Ok(None)
            }
            Some(Err(
                source @ KafkaError::MessageConsumption(
                    RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::UnknownTopicOrPartition,
                ),
            )) => Err(failed(source)),
            // The client mends its connections itself.
            Some(Err(source)) if heard.elapsed() > SILENT_MAX => Err(failed(source)),
            None if heard.elapsed() > SILENT_MAX => {
                Err(failed(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)))
            }
            Some(Err(_)) | None => Ok(None),
        }
    }

    /// Compares with the log what was read.
    fn check(&mut self) -> Result<(), Error> {
        let positions: Vec<_> = self.unchecked.iter().map(|each| each.position).collect();
        let known = Handle::current().block_on(self.store.ids_at(&positions))?;
        for each in self.unchecked.drain(..) {
            let known = known.get(&each.position).copied();
            if known != Some(each.event_id) {
                let Unchecked { topic, partition, offset, position, event_id: found } = each;
                return Err(Error::OtherEvent { topic, partition, offset, position, found, known });
            }
        }
        Ok(())
    }
}

/// Whether a record fits what is known.
#[derive(Debug, PartialEq, Eq)]
enum Fits {
    Yes,
    /// It is not the one that was acknowledged at its offset.
    NotAcknowledged,
    OtherLog,
}

/// One partition while it is read.
#[derive(Debug, Clone, Copy)]
struct Tail {
    place: Place,
    follower: Follower,
    /// The first record must be the one of `place`.
    expected: bool,
    /// Whether the follower's position is true; else the first record gives it.
    rooted: bool,
    next: i64,
    end: i64,
    done: bool,
}

impl Tail {
    fn between(next: i64, end: i64, place: Place, epoch: Uuid) -> Self {
        let follower = Follower::new(place.through, epoch);
        Self { place, follower, expected: false, rooted: true, next, end, done: next >= end }
    }

    fn end(&self) -> End {
        End { place: self.place, complete: self.follower.position() }
    }

    fn see(&mut self, offset: i64, record: &Record) -> Fits {
        if self.done {
            return Fits::Yes;
        }
        if std::mem::take(&mut self.expected) && !is(self.place, offset, record) {
            return Fits::NotAcknowledged;
        }
        if !std::mem::replace(&mut self.rooted, true) {
            self.follower = Follower::new(record.prev(), self.follower.epoch());
        }
        match self.follower.see(record.position(), record.prev(), record.epoch()) {
            Seen::Next => self.place = place_of(offset, record),
            // Of what is missing nothing counts: it is published again.
            Seen::Known | Seen::Missing { .. } => {}
            Seen::OtherEpoch => return Fits::OtherLog,
        }
        self.done = offset + 1 >= self.end;
        Fits::Yes
    }
}

fn place_of(offset: i64, record: &Record) -> Place {
    let last_event = match record {
        Record::Event(event) => event.raw.position,
        Record::Watermark(watermark) => watermark.prev,
    };
    Place { last_event, through: record.position(), offset: Some(offset) }
}

fn is(place: Place, offset: i64, record: &Record) -> bool {
    place == place_of(offset, record)
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
