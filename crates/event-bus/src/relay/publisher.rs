//! Sending records, and what is reported of each.

use event_store::Position;
use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer};
use tokio::sync::mpsc;

use super::Error;
use super::place::Layout;
use crate::connection::{Kafka, Session};
use crate::envelope::{Envelope, Watermark};

/// A record that is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    /// The number of its partition.
    pub(crate) partition: usize,
    /// The position of the event, or of the watermark.
    pub(crate) position: Position,
    /// Whether it is an event.
    pub(crate) event: bool,
}

/// What became of one: its offset, or an error, after which it may be there or not.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) sent: Sent,
    pub(crate) outcome: Result<i64, KafkaError>,
}

struct Reports {
    session: Session,
    reports: mpsc::UnboundedSender<Report>,
}

impl ClientContext for Reports {
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

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Sent>;

    fn delivery(&self, result: &DeliveryResult<'_>, sent: Box<Sent>) {
        let outcome = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.clone()),
        };
        // Nobody listens any more when the relay has begun anew.
        let _ = self.reports.send(Report { sent: *sent, outcome });
    }
}

/// A producer. Once anything that it sent has failed, it must be dropped, and another one begins from what is certain.
pub(crate) struct Publisher {
    producer: ThreadedProducer<Reports>,
    layout: Layout,
}

impl Publisher {
    /// One that reports there.
    pub(crate) fn new(
        kafka: &Kafka,
        layout: Layout,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Result<Self, Error> {
        let context = Reports { session: kafka.session(), reports };
        let producer = ThreadedProducer::from_config_and_context(&kafka.producer(), context)
            .map_err(|source| Error::Kafka { doing: "making a producer", source })?;
        Ok(Self { producer, layout })
    }

    /// Puts an event into the queue. `false`: the queue is full, try again after the next report.
    pub(crate) fn event(&self, partition: usize, envelope: &Envelope) -> Result<bool, Error> {
        let sent = Sent { partition, position: envelope.raw.position, event: true };
        let (topic, number) = self.layout.address(partition);
        let record = BaseRecord::with_opaque_to(topic, Box::new(sent))
            .partition(number)
            .key(envelope.key())
            .payload(envelope.value())
            .headers(envelope.headers())
            .timestamp(envelope.raw.recorded_at.timestamp_millis());
        self.send(sent, record)
    }

    /// Puts a watermark into the queue; the same.
    pub(crate) fn watermark(&self, partition: usize, watermark: &Watermark) -> Result<bool, Error> {
        let sent = Sent { partition, position: watermark.position, event: false };
        let (topic, number) = self.layout.address(partition);
        let record: BaseRecord<'_, str, str, _> = BaseRecord::with_opaque_to(topic, Box::new(sent))
            .partition(number)
            .payload("")
            .headers(watermark.headers());
        self.send(sent, record)
    }

    fn send(&self, sent: Sent, record: BaseRecord<'_, str, str, Box<Sent>>) -> Result<bool, Error> {
        match self.producer.send(record) {
            Ok(()) => Ok(true),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => Ok(false),
            Err((source, _)) => Err(self.failed(sent, source)),
        }
    }

    /// The error of a record that may not have arrived.
    pub(crate) fn failed(&self, sent: Sent, source: KafkaError) -> Error {
        let (topic, partition) = self.layout.address(sent.partition);
        Error::Delivery { topic: topic.to_owned(), partition, position: sent.position, source }
    }

    /// Drops what is in the queue and ends the client. What is on its way may still arrive.
    pub(crate) async fn close(self) {
        // Its thread is waited for, which is not for a thread that others wait for.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}
