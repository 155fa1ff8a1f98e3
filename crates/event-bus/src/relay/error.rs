//! Why a relay has stopped publishing.

use event_store::Position;
use rdkafka::error::KafkaError;
use uuid::Uuid;

use crate::envelope::Malformed;
use crate::topics;

/// Why a relay has stopped publishing. What passes it begins again by itself, from the checkpoint; the rest somebody must look
/// at, and nothing is published until then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topics cannot be written to.
    #[error(transparent)]
    Topics(#[from] topics::Error),
    /// Kafka is away, or refuses: it is tried again.
    #[error("{doing} failed: {source}")]
    Kafka {
        /// What was tried.
        doing: &'static str,
        /// What the client says.
        source: KafkaError,
    },
    /// A record may be there or not: everything is published again from what is certain.
    #[error("position {position} may not have reached {topic}/{partition}: {source}")]
    Delivery {
        /// The topic's whole name.
        topic: String,
        /// Which partition.
        partition: i32,
        /// Of which event or watermark.
        position: Position,
        /// What the client says.
        source: KafkaError,
    },
    /// The log's database is away (it is tried again), or something in the log cannot be read (look at it).
    #[error("the log cannot be read: {0}")]
    Log(#[from] event_store::Error),
    /// The log was restored, or failed over with loss, after it was published. Consumers know positions of another log: publish
    /// this one anew, under another `kafka_topics`.
    #[error(
        "the log of epoch {known} was published up to position {position}, but the log's epoch is {found} now: \
         publish it under another kafka_topics"
    )]
    Epoch {
        /// The epoch that was published.
        known: Uuid,
        /// The epoch that the log has.
        found: Uuid,
        /// How far the first was published.
        position: Position,
    },
    /// The log has lost events without a new epoch: it must not go on before it has one (`EventStore::bump_epoch`).
    #[error(
        "position {published} was published, but the log ends at {head}: it has lost events, and needs another epoch"
    )]
    Behind {
        /// How far the log was published.
        published: Position,
        /// Where it ends.
        head: Position,
    },
    /// Positions have no gaps, so one is a defect of the log. It is never skipped.
    #[error("the log has nothing between the positions {after} and {found}")]
    Gap {
        /// All up to here is there.
        after: Position,
        /// What came next.
        found: Position,
    },
    /// Somebody else writes to our topics.
    #[error(transparent)]
    Foreign(#[from] Malformed),
    /// The topic has a record of another log: this one belongs under another `kafka_topics`.
    #[error(
        "offset {offset} of {topic}/{partition} is of a log with the epoch {found}, but this log's is {known}"
    )]
    OtherLog {
        /// The topic's whole name.
        topic: String,
        /// Which partition.
        partition: i32,
        /// Where in it.
        offset: i64,
        /// The record's epoch.
        found: Uuid,
        /// The log's epoch.
        known: Uuid,
    },
    /// The topic has another event at a position than the log: one of the two was tampered with, or the log has lost events.
    #[error(
        "offset {offset} of {topic}/{partition} is event {found} at position {position}, but the log has {} there",
        known.map_or_else(|| "nothing".to_owned(), |known| known.to_string())
    )]
    OtherEvent {
        /// The topic's whole name.
        topic: String,
        /// Which partition.
        partition: i32,
        /// Where in it.
        offset: i64,
        /// Where in the log.
        position: Position,
        /// The record's event id.
        found: Uuid,
        /// The log's.
        known: Option<Uuid>,
    },
}

impl Error {
    /// Whether the same may go well later, with nobody doing anything about it.
    pub fn passes(&self) -> bool {
        match self {
            Self::Topics(error) => error.passes(),
            Self::Kafka { .. } | Self::Delivery { .. } => true,
            Self::Log(error) => matches!(error, event_store::Error::Unavailable(_)),
            _ => false,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Log(error.into())
    }
}
