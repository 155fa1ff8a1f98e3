//! Where a lane begins on Kafka, and whether the topics are those that are configured.

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use event_store::{Error, Filter, Lane, Place, Position};
use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::Metadata;

use super::{KafkaFeed, unavailable};
use crate::connection::{Kafka, Session};
use crate::topics;

/// How long a broker may take to describe the topics.
const ANSWER: Duration = Duration::from_secs(10);
/// The clocks of relays and command nodes differ by less.
const SKEW: TimeDelta = TimeDelta::minutes(1);
/// A partition without a record that is new enough is read from so many records before its end: one more may come meanwhile.
const TAIL: i64 = 200;

impl KafkaFeed {
    /// The offsets to begin at. A place without one has never been on Kafka: it begins at the records of about the time of its
    /// event. Where that is too early, events are known and dropped; where it is too late, they come from the log.
    pub(super) async fn offsets(&self, places: &[(Lane, Place)]) -> Result<Vec<(Lane, Offset)>, Error> {
        let mut offsets = Vec::with_capacity(places.len());
        let mut times = Vec::new();
        let mut known = HashMap::new();
        for (lane, place) in places {
            match place.offset {
                Some(offset) => offsets.push((*lane, Offset::Offset(offset))),
                None if place.position == Position(0) => offsets.push((*lane, Offset::Beginning)),
                None => match self.time_of(place.position, &mut known).await? {
                    Some(time) => times.push((*lane, time)),
                    None => offsets.push((*lane, Offset::Beginning)),
                },
            }
        }
        if !times.is_empty() {
            let found = self.member.offsets_at(&times).await?;
            offsets.extend(found.into_iter().map(|(lane, offset)| match offset {
                Offset::Offset(_) => (lane, offset),
                _ => (lane, Offset::OffsetTail(TAIL)),
            }));
        }
        Ok(offsets)
    }

    /// When the event at a position was recorded, in milliseconds, and a little before.
    async fn time_of(
        &self,
        position: Position,
        known: &mut HashMap<Position, Option<i64>>,
    ) -> Result<Option<i64>, Error> {
        if let Some(time) = known.get(&position) {
            return Ok(*time);
        }
        let before = Position(position.0.saturating_sub(1));
        let event = self.store.read_raw(before, 1, &Filter::default()).await?.pop();
        let time = event.map(|event| (event.recorded_at - SKEW).timestamp_millis().max(0));
        known.insert(position, time);
        Ok(time)
    }
}

/// Whether these topics are there, each with the configured number of partitions.
pub(crate) async fn check(kafka: &Kafka, names: &[String]) -> Result<(), Error> {
    let asked = kafka.clone();
    let described = tokio::task::spawn_blocking(move || describe(&asked));
    let described = async { described.await.unwrap_or(Err(KafkaError::Canceled)) };
    let metadata = topics::in_time(described).await.map_err(unavailable)?;
    names.iter().try_for_each(|topic| check_topic(&metadata, topic, kafka.partitions))
}

fn describe(kafka: &Kafka) -> Result<Metadata, KafkaError> {
    let consumer: BaseConsumer<Session> = kafka.consumer().create_with_context(kafka.session())?;
    topics::sign_in(kafka, &consumer);
    consumer.fetch_metadata(None, ANSWER)
}

fn check_topic(metadata: &Metadata, topic: &str, partitions: u32) -> Result<(), Error> {
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let found = found.map_or(0, |found| found.partitions().len());
    if found == 0 {
        return Err(Error::BrokerUnavailable(format!("it has no topic {topic} yet: a relay makes it")));
    }
    if found != partitions as usize {
        let other = topics::Error::Partitions { topic: topic.to_owned(), configured: partitions, found };
        return Err(Error::Corrupt(other.to_string()));
    }
    Ok(())
}
