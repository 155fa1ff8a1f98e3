//! Topics of a test's own, and a relay whose every record the test decides on.

use std::collections::HashMap;
use std::time::Duration;

use event_bus::connection::{Kafka, Security, Session};
use event_bus::envelope::{Envelope, Watermark};
use event_bus::topics::prepare;
use event_store::{EventStore, Filter, Lane, Position};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{FutureProducer, FutureRecord};
use uuid::Uuid;

use crate::stage::brokers;

pub(crate) const PARTITIONS: u32 = 3;

pub(crate) fn kafka_at(brokers: String) -> Kafka {
    let topics = format!("t{}", Uuid::now_v7().simple());
    Kafka { brokers, security: Security::Plaintext, topics, partitions: PARTITIONS, replication: 1 }
}

/// Topics of its own on the broker that all tests share.
pub(crate) async fn topics() -> Kafka {
    let kafka = kafka_at(brokers());
    prepare(&kafka).await.unwrap();
    kafka
}

/// Publishes a log as a relay does.
pub(crate) struct Publisher {
    pub(crate) kafka: Kafka,
    producer: FutureProducer<Session>,
    last: HashMap<Lane, Position>,
    after: Position,
}

impl Publisher {
    pub(crate) fn new(kafka: &Kafka) -> Self {
        let producer = kafka.producer().create_with_context(kafka.session()).unwrap();
        Self { kafka: kafka.clone(), producer, last: HashMap::new(), after: Position(0) }
    }

    /// The envelopes of what the log has and is not published, in order.
    pub(crate) async fn envelopes(&mut self, store: &EventStore) -> Vec<Envelope> {
        let epoch = store.head().await.unwrap().epoch;
        let raws = store.read_raw(self.after, u32::MAX, &Filter::default()).await.unwrap();
        let envelopes = raws.into_iter().map(|raw| {
            self.after = raw.position;
            let lane = Lane::of(&raw.stream, self.kafka.partitions);
            let prev = self.last.insert(lane, raw.position).unwrap_or_default();
            Envelope { raw, prev, epoch }
        });
        envelopes.collect()
    }

    /// Publishes all of the log, with watermarks at its end.
    pub(crate) async fn publish(&mut self, store: &EventStore) {
        let envelopes = self.envelopes(store).await;
        self.send_all(&envelopes).await;
        self.watermarks(store.head().await.unwrap().epoch).await;
    }

    pub(crate) async fn send_all<'a>(&self, envelopes: impl IntoIterator<Item = &'a Envelope>) {
        let sent = envelopes.into_iter().map(|envelope| self.send(envelope));
        futures::future::join_all(sent).await;
    }

    pub(crate) fn send(&self, envelope: &Envelope) -> impl Future<Output = ()> + use<> {
        let lane = Lane::of(&envelope.raw.stream, self.kafka.partitions);
        self.produce(lane, Some(envelope.key()), envelope.value(), envelope.headers())
    }

    /// Says in every partition that all that was published so far is there.
    pub(crate) async fn watermarks(&self, epoch: Uuid) {
        let position = self.after;
        let sent = Lane::all(self.kafka.partitions).map(|lane| {
            let prev = self.last.get(&lane).copied().unwrap_or_default();
            self.produce(lane, None, "", Watermark { position, prev, epoch }.headers())
        });
        futures::future::join_all(sent).await;
    }

    pub(crate) fn produce(
        &self,
        lane: Lane,
        key: Option<&str>,
        value: &str,
        headers: OwnedHeaders,
    ) -> impl Future<Output = ()> + use<> {
        let Lane::Partition { topic, partition, .. } = lane else { panic!("{lane}") };
        let name = self.kafka.name(topic);
        let mut record = FutureRecord::to(&name).partition(partition as i32).payload(value).headers(headers);
        if let Some(key) = key {
            record = record.key(key);
        }
        let sent = self.producer.send_result(record).map_err(|(error, _)| error).unwrap();
        async move {
            let delivered = tokio::time::timeout(Duration::from_secs(60), sent).await.unwrap();
            delivered.unwrap().map_err(|(error, _)| error).unwrap();
        }
    }
}
