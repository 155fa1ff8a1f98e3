//! A member of a consumer group: which partitions it is given and which are taken from it, and its records.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use event_store::{Error, Lane};
use futures::FutureExt;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::Notify;

use super::unavailable;
use crate::connection::{Kafka, Session};
use crate::topics;

/// A wake-up of the client may get lost (rust-rdkafka#638): it is asked again so often, whether it wakes or not.
const LOOK: Duration = Duration::from_millis(50);
/// Leaving the group takes a few round trips; a broker that is away must not hold up the end for longer.
const LEAVE: Duration = Duration::from_secs(3);
/// How long a broker may take to say where to go on.
const ANSWER: Duration = Duration::from_secs(10);

/// What happened to the member's partitions.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// It is given these, and must say where to go on in them.
    Assigned(TopicPartitionList),
    /// These are somebody else's now.
    Revoked(TopicPartitionList),
}

/// Writes down what happens to the partitions, so that the feed can look up its places before it takes them.
pub(super) struct Changes {
    session: Session,
    queue: Mutex<VecDeque<Change>>,
    changed: Notify,
    leaving: AtomicBool,
}

impl Changes {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Change>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn happened(&self, change: Change) {
        self.queue().push_back(change);
        self.changed.notify_one();
    }
}

impl ClientContext for Changes {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = Session::ENABLE_REFRESH_OAUTH_TOKEN;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.session.log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.session.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.session.generate_oauth_token(config)
    }
}

impl ConsumerContext for Changes {
    /// Partitions that are given are answered later, when their places are known: the group waits for that, and everybody else
    /// reads on. Partitions that are taken go at once.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let assigned = code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if assigned && !self.leaving.load(Ordering::Acquire) {
            self.happened(Change::Assigned(partitions.clone()));
            return;
        }
        let answered = if assigned {
            consumer.incremental_assign(partitions)
        } else {
            self.happened(Change::Revoked(partitions.clone()));
            consumer.incremental_unassign(partitions)
        };
        if let Err(error) = answered {
            tracing::warn!(%error, "partitions could not be given back: {error}");
        }
    }
}

/// The member. Leaves the group when it is dropped.
pub(super) struct Member {
    kafka: Kafka,
    /// `None` only while it is dropped.
    consumer: Option<Arc<StreamConsumer<Changes>>>,
}

impl Member {
    /// Joins a group that shares these topics.
    pub(super) fn join(kafka: &Kafka, group: &str, topics: &[String]) -> Result<Self, Error> {
        let changes = Changes {
            session: kafka.session(),
            queue: Mutex::default(),
            changed: Notify::new(),
            leaving: AtomicBool::new(false),
        };
        let consumer: StreamConsumer<Changes> =
            settings(kafka, group).create_with_context(changes).map_err(unavailable)?;
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(unavailable)?;
        Ok(Self { kafka: kafka.clone(), consumer: Some(Arc::new(consumer)) })
    }

    pub(super) fn consumer(&self) -> Arc<StreamConsumer<Changes>> {
        match &self.consumer {
            Some(consumer) => Arc::clone(consumer),
            None => unreachable!("a member has its consumer until it is dropped"),
        }
    }

    /// The oldest change that is not settled.
    pub(super) fn change(&self) -> Option<Change> {
        self.consumer().context().queue().front().cloned()
    }

    /// That change is settled.
    pub(super) fn settled(&self) {
        self.consumer().context().queue().pop_front();
    }

    /// The lanes of these partitions.
    pub(super) fn lanes(&self, partitions: &TopicPartitionList) -> Vec<Lane> {
        let elements = partitions.elements();
        elements.iter().filter_map(|element| self.lane(element.topic(), element.partition())).collect()
    }

    /// The lane of a partition. `None`: it is not one of ours.
    pub(super) fn lane(&self, topic: &str, partition: i32) -> Option<Lane> {
        let (topic, of) = (self.kafka.topic(topic)?, self.kafka.partitions);
        let partition = u32::try_from(partition).ok().filter(|partition| *partition < of)?;
        Some(Lane::Partition { topic, partition, of })
    }

    /// Partitions with offsets, as the client wants them.
    pub(super) fn list(&self, offsets: &[(Lane, Offset)]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (lane, offset) in offsets {
            let Lane::Partition { topic, partition, .. } = lane else { continue };
            // Fails only for offsets that no broker gives.
            let _ = list.add_partition_offset(&self.kafka.name(*topic), *partition as i32, *offset);
        }
        list
    }

    /// Takes partitions that it was given, from these offsets on.
    pub(super) fn take(&self, offsets: &[(Lane, Offset)]) -> Result<(), Error> {
        self.consumer().incremental_assign(&self.list(offsets)).map_err(unavailable)
    }

    /// Goes to other offsets of partitions that it has.
    pub(super) async fn seek(&self, offsets: &[(Lane, Offset)]) -> Result<(), Error> {
        // Who has no partitions yet has nowhere to go; librdkafka would call that an error, for ever.
        if offsets.is_empty() {
            return Ok(());
        }
        let (consumer, list) = (self.consumer(), self.list(offsets));
        let sought = blocking(move || consumer.seek_partitions(list, ANSWER)).await?;
        sought.elements().iter().try_for_each(|element| element.error()).map_err(unavailable)
    }

    /// The first offset at or after a time (milliseconds) in each of these partitions.
    pub(super) async fn offsets_at(&self, times: &[(Lane, i64)]) -> Result<Vec<(Lane, Offset)>, Error> {
        let asked: Vec<_> = times.iter().map(|(lane, time)| (*lane, Offset::Offset(*time))).collect();
        let (consumer, list) = (self.consumer(), self.list(&asked));
        let found = blocking(move || consumer.offsets_for_times(list, ANSWER)).await?;
        let mut offsets = Vec::with_capacity(times.len());
        for element in found.elements() {
            element.error().map_err(unavailable)?;
            let lane = self.lane(element.topic(), element.partition());
            offsets.extend(lane.map(|lane| (lane, element.offset())));
        }
        Ok(offsets)
    }

    /// Waits for a record; `None` when partitions have changed, or nothing has come for a moment.
    pub(super) async fn wait<'a>(
        &self,
        consumer: &'a StreamConsumer<Changes>,
    ) -> Option<KafkaResult<BorrowedMessage<'a>>> {
        tokio::select! {
            biased;
            () = consumer.context().changed.notified() => None,
            received = tokio::time::timeout(LOOK, consumer.recv()) => received.ok(),
        }
    }

    /// Tells Kafka how far it is. Nobody goes on from there: it is for tools that show how far a group is behind.
    pub(super) fn tell(&self, offsets: &[(Lane, Offset)]) {
        if let Err(error) = self.consumer().commit(&self.list(offsets), CommitMode::Async) {
            tracing::debug!(%error, "Kafka was not told how far the group is: {error}");
        }
    }
}

/// A record that is there already.
pub(super) fn at_once(consumer: &StreamConsumer<Changes>) -> Option<KafkaResult<BorrowedMessage<'_>>> {
    consumer.recv().now_or_never()
}

async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> KafkaResult<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(call);
    let done = async { done.await.unwrap_or(Err(KafkaError::Canceled)) };
    topics::in_time(done).await.map_err(unavailable)
}

/// Cooperative: who keeps a partition reads on while others come and go.
fn settings(kafka: &Kafka, group: &str) -> ClientConfig {
    let mut config = kafka.consumer();
    config
        .set("group.id", group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "1000")
        // What is gone from a partition is found missing by the header rule, and comes from the log.
        .set("auto.offset.reset", "earliest")
        .set("queued.min.messages", "5000")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.queue.backoff.ms", "20");
    config
}

impl Drop for Member {
    fn drop(&mut self) {
        let Some(consumer) = self.consumer.take() else { return };
        consumer.context().leaving.store(true, Ordering::Release);
        // A group that waits for an answer would not let go.
        for change in consumer.context().queue().drain(..) {
            if let Change::Assigned(partitions) = change {
                let _ = consumer.incremental_assign(&partitions);
            }
        }
        let (left, leaves) = mpsc::channel();
        std::thread::spawn(move || {
            drop(consumer);
            let _ = left.send(());
        });
        if leaves.recv_timeout(LEAVE).is_err() {
            tracing::warn!(
                "the consumer group was not left in time: its partitions stay idle until the session ends"
            );
        }
    }
}
