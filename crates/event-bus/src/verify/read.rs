//! Reads all partitions, from their beginnings to where they ended, and on until the log's end is there.

use std::collections::BTreeMap;
use std::time::Duration;

use event_store::{Error, Lane, Position, Topic};
use rdkafka::consumer::{BaseConsumer, Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::partition::Partition;
use crate::connection::{Kafka, Session};
use crate::feed::{check, unavailable};
use crate::topics;

/// How long a broker may take to say where its partitions end.
const ANSWER: Duration = Duration::from_secs(10);

/// Reads until every partition has come to `head`, and to where it ended; or until nothing has come for so long.
pub(super) async fn all(
    kafka: &Kafka,
    partitions: &mut BTreeMap<Lane, Partition>,
    head: Position,
    patience: Duration,
) -> Result<(), Error> {
    check(kafka, &Topic::ALL.map(|topic| kafka.name(topic))).await?;
    let mut config = kafka.consumer();
    // No member of any group: nothing is joined, and nothing is written.
    config.set("group.id", format!("{}-verify", kafka.topics)).set("auto.offset.reset", "earliest");
    let consumer: StreamConsumer<Session> =
        config.create_with_context(kafka.session()).map_err(unavailable)?;
    let ends = ends(kafka, partitions.keys().copied().collect()).await?;
    assign(kafka, &consumer, partitions.keys())?;
    while partitions.iter().any(|(lane, read)| read.offset < ends[lane] || read.position() < head) {
        let Ok(received) = tokio::time::timeout(patience, consumer.recv()).await else { return Ok(()) };
        match received {
            Ok(message) => {
                let read = lane(kafka, &message).and_then(|lane| partitions.get_mut(&lane));
                read.into_iter().for_each(|partition| partition.see(&message));
            }
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(unavailable(error)),
            Err(error) => tracing::warn!(%error, "Kafka's client goes on after: {error}"),
        }
    }
    Ok(())
}

fn assign<'a>(
    kafka: &Kafka,
    consumer: &StreamConsumer<Session>,
    lanes: impl Iterator<Item = &'a Lane>,
) -> Result<(), Error> {
    let mut list = TopicPartitionList::new();
    for lane in lanes {
        let Lane::Partition { topic, partition, .. } = *lane else { continue };
        list.add_partition_offset(&kafka.name(topic), partition as i32, Offset::Beginning)
            .map_err(unavailable)?;
    }
    consumer.assign(&list).map_err(unavailable)
}

/// The offsets at which the partitions end now.
async fn ends(kafka: &Kafka, lanes: Vec<Lane>) -> Result<BTreeMap<Lane, i64>, Error> {
    let kafka = kafka.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer<Session> =
            kafka.consumer().create_with_context(kafka.session()).map_err(unavailable)?;
        topics::sign_in(&kafka, &consumer);
        let end = |lane| match lane {
            Lane::Log => Ok((lane, 0)),
            Lane::Partition { topic, partition, .. } => {
                let found = consumer.fetch_watermarks(&kafka.name(topic), partition as i32, ANSWER);
                found.map(|(_, end)| (lane, end)).map_err(unavailable)
            }
        };
        lanes.into_iter().map(end).collect()
    });
    asked.await.map_err(|error| Error::BrokerUnavailable(error.to_string()))?
}

fn lane(kafka: &Kafka, message: &impl Message) -> Option<Lane> {
    let (topic, partition) = (kafka.topic(message.topic())?, u32::try_from(message.partition()).ok()?);
    Some(Lane::Partition { topic, partition, of: kafka.partitions })
}
