//! The topics: made when they are not there, and looked at before anything is written to them.

use std::collections::HashMap;
use std::time::Duration;

use event_store::Topic;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::time::Instant;

use crate::connection::{Kafka, RECORD_BYTES_MAX, Security, Session};

/// A cluster that takes longer is as good as away.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// The client library keeps to [`ANSWER_MAX`] by the clock that people set: set back meanwhile, it would wait for as long as it was set back.
const PATIENCE: Duration = Duration::from_secs(20);
/// New topics need a moment until every broker knows them and every partition is led.
const READY_MAX: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const UNCLEAN: &str = "unclean.leader.election.enable";

/// Why the topics cannot be written to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers (`kafka_brokers`): try again.
    #[error("kafka_brokers: no broker of {brokers} answers: {source}")]
    Away {
        /// The first brokers.
        brokers: String,
        /// What the client says.
        source: KafkaError,
    },
    /// Topics that were made are still not led everywhere: try again.
    #[error("the topics are not ready: some partitions have no leader")]
    NotReady,
    /// Streams would move to other partitions: set `kafka_partitions` right, or publish under another `kafka_topics`.
    #[error(
        "kafka_partitions is {configured}, but {topic} has {found} partitions: it cannot be changed, because every stream \
         would move to another partition (kafka_topics with another name publishes the log anew)"
    )]
    Partitions {
        /// The topic's whole name.
        topic: String,
        /// What is configured.
        configured: u32,
        /// What there is.
        found: usize,
    },
    /// Brokers could drop what they have acknowledged: turn it off.
    #[error("{topic} has {UNCLEAN} on, and would lose acknowledged events: set it to false for this topic")]
    Unclean {
        /// The topic's whole name.
        topic: String,
    },
    /// Not so many brokers: set `kafka_replication` right.
    #[error("kafka_replication is {configured}, but the cluster has no room for {topic} with so many copies")]
    Replication {
        /// The topic's whole name.
        topic: String,
        /// What is configured.
        configured: u32,
    },
    /// The cluster refuses to make a topic: look at what it says.
    #[error("{topic} cannot be made: {code}")]
    Refused {
        /// The topic's whole name.
        topic: String,
        /// What the cluster says.
        code: RDKafkaErrorCode,
    },
    /// With MSK IAM the client library cannot make topics (rust-rdkafka#757): make them by other means.
    #[error(
        "topics are missing, and cannot be made through MSK IAM: make {} with {partitions} partitions each, {UNCLEAN}=false, \
         retention.ms=-1, max.message.bytes={RECORD_BYTES_MAX}",
        topics.join(", ")
    )]
    Missing {
        /// Their whole names.
        topics: Vec<String>,
        /// What is configured.
        partitions: u32,
    },
}

impl Error {
    /// Whether the same may go well later, with nobody doing anything about it.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::NotReady)
    }
}

/// Makes the topics that are missing, and checks those that are there.
///
/// # Errors
/// When they cannot be written to: see [`Error::passes`].
pub async fn prepare(kafka: &Kafka) -> Result<(), Error> {
    let names: Vec<_> = Topic::ALL.iter().map(|topic| kafka.name(*topic)).collect();
    let found = look(kafka).await?;
    let missing: Vec<_> = names.iter().filter(|name| !found.contains_key(*name)).cloned().collect();
    if !missing.is_empty() {
        make(kafka, missing).await?;
    }
    let found = ready(kafka, &names).await?;
    for name in &names {
        let (found, configured) = (found.get(name).map_or(0, |found| found.partitions), kafka.partitions);
        if found != configured as usize {
            return Err(Error::Partitions { topic: name.clone(), configured, found });
        }
    }
    clean(kafka, &names).await
}

/// A topic that is there.
#[derive(Debug, Clone, Copy)]
struct Found {
    partitions: usize,
    led: bool,
}

/// What topics there are.
async fn look(kafka: &Kafka) -> Result<HashMap<String, Found>, Error> {
    let asked = kafka.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer<Session> =
            BaseConsumer::from_config_and_context(&asked.consumer(), asked.session())?;
        sign_in(&asked, &consumer);
        let metadata = consumer.fetch_metadata(None, ANSWER_MAX)?;
        Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), found(topic))).collect())
    });
    in_time(async { looked.await.unwrap_or(Err(KafkaError::Canceled)) })
        .await
        .map_err(|source| away(kafka, source))
}

/// An answer of Kafka's, or none after [`PATIENCE`], which is measured by a clock that nobody sets.
pub(crate) async fn in_time<T>(asked: impl Future<Output = Result<T, KafkaError>>) -> Result<T, KafkaError> {
    within(PATIENCE, asked).await
}

async fn within<T>(
    patience: Duration,
    asked: impl Future<Output = Result<T, KafkaError>>,
) -> Result<T, KafkaError> {
    let none = Err(KafkaError::MetadataFetch(RDKafkaErrorCode::OperationTimedOut));
    tokio::time::timeout(patience, asked).await.unwrap_or(none)
}

/// With MSK IAM a client has no token until it is polled once, and answers nothing before it has one.
pub(crate) fn sign_in(kafka: &Kafka, consumer: &BaseConsumer<Session>) {
    if matches!(kafka.security, Security::MskIam { .. }) {
        drop(consumer.poll(Duration::from_millis(100)));
    }
}

fn found(topic: &rdkafka::metadata::MetadataTopic) -> Found {
    let led = topic.error().is_none() && topic.partitions().iter().all(|each| each.leader() >= 0);
    Found { partitions: topic.partitions().len(), led }
}

fn away(kafka: &Kafka, source: KafkaError) -> Error {
    Error::Away { brokers: kafka.brokers.clone(), source }
}

fn admin(kafka: &Kafka) -> Result<AdminClient<Session>, Error> {
    AdminClient::from_config_and_context(&kafka.admin(), kafka.session())
        .map_err(|source| away(kafka, source))
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ANSWER_MAX)).operation_timeout(Some(ANSWER_MAX))
}

async fn make(kafka: &Kafka, topics: Vec<String>) -> Result<(), Error> {
    if matches!(kafka.security, Security::MskIam { .. }) {
        return Err(Error::Missing { topics, partitions: kafka.partitions });
    }
    let insync = if kafka.replication >= 3 { "2" } else { "1" };
    let bytes_max = RECORD_BYTES_MAX.to_string();
    let new: Vec<_> = topics
        .iter()
        .map(|name| {
            let copies = TopicReplication::Fixed(kafka.replication as i32);
            NewTopic::new(name, kafka.partitions as i32, copies)
                .set("min.insync.replicas", insync)
                .set(UNCLEAN, "false")
                .set("cleanup.policy", "delete")
                .set("retention.ms", "-1")
                .set("retention.bytes", "-1")
                .set("max.message.bytes", &bytes_max)
        })
        .collect();
    let (admin, options) = (admin(kafka)?, options());
    let made = in_time(admin.create_topics(&new, &options)).await;
    for each in made.map_err(|source| away(kafka, source))? {
        match each {
            Ok(topic) => tracing::info!(%topic, partitions = kafka.partitions, "made the topic {topic}"),
            // Another relay was faster.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, RDKafkaErrorCode::InvalidReplicationFactor)) => {
                return Err(Error::Replication { topic, configured: kafka.replication });
            }
            Err((topic, code)) => return Err(Error::Refused { topic, code }),
        }
    }
    Ok(())
}

/// Waits until all of them are there and every partition has a leader.
async fn ready(kafka: &Kafka, names: &[String]) -> Result<HashMap<String, Found>, Error> {
    let deadline = Instant::now() + READY_MAX;
    loop {
        let found = look(kafka).await?;
        if names.iter().all(|name| found.get(name).is_some_and(|topic| topic.led)) {
            return Ok(found);
        }
        if Instant::now() > deadline {
            return Err(Error::NotReady);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether brokers that are behind may come to lead.
async fn clean(kafka: &Kafka, names: &[String]) -> Result<(), Error> {
    if matches!(kafka.security, Security::MskIam { .. }) {
        // The same limit of the client library.
        tracing::warn!("through MSK IAM it cannot be checked that the topics have {UNCLEAN}=false");
        return Ok(());
    }
    let asked: Vec<_> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
    let (admin, options) = (admin(kafka)?, options());
    let described = in_time(admin.describe_configs(&asked, &options)).await;
    for (name, described) in names.iter().zip(described.map_err(|source| away(kafka, source))?) {
        let described = described.map_err(|code| away(kafka, KafkaError::AdminOp(code)))?;
        let unclean = described.get(UNCLEAN).and_then(|entry| entry.value.as_deref());
        if unclean == Some("true") {
            return Err(Error::Unclean { topic: name.clone() });
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_never_answers_is_given_up_and_asked_again() {
    let never = within(Duration::from_millis(1), std::future::pending::<Result<(), KafkaError>>()).await;
    let given_up = never.map_err(|source| Error::Away { brokers: String::new(), source });
    assert!(given_up.is_err_and(|error| error.passes()));
    assert!(matches!(within(PATIENCE, async { Ok(7) }).await, Ok(7)));
}
