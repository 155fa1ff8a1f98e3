//! What can go wrong with the log, and what to do then.

use std::error::Error as _;

use domain::StreamId;

/// What can go wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away or gave up. An append may have happened or not: the same commands with the same keys may be
    /// sent again. Becomes problem `unavailable` (503).
    #[error("the database does not answer: {0}")]
    Unavailable(#[from] sqlx::Error),
    /// The same, of an append.
    #[error("the database does not answer: {}", said(.0))]
    Append(tokio_postgres::Error),
    /// The database cannot be reached for an append. Nothing was done.
    #[error("the database cannot be reached: {}", said(.0))]
    Connect(tokio_postgres::Error),
    /// The log is another one than the caller knows (restored, or failed over with loss): forget all states, look at the head.
    #[error("the log has another epoch")]
    EpochMoved,
    /// The message broker is away or gave up; it is tried again. Nothing is lost: the log has everything.
    #[error("Kafka does not answer: {0}")]
    BrokerUnavailable(String),
    /// A record on Kafka is of another log than the one that is followed (restored, or failed over with loss): stop; what was
    /// folded from it must be made anew.
    #[error("record {offset} of {lane} is of the log {record}, and this log is {log}")]
    RecordOfOtherEpoch {
        /// In which partition.
        lane: crate::Lane,
        /// Which record there.
        offset: i64,
        /// The epoch that the record names.
        record: uuid::Uuid,
        /// The log's own.
        log: uuid::Uuid,
    },
    /// A record on Kafka is not what a relay writes: stop, and look at it; never skip it.
    #[error("record {offset} of partition {partition} of {topic}: {reason}")]
    ForeignRecord {
        /// In which topic, with its prefix.
        topic: String,
        /// In which partition.
        partition: i32,
        /// Which record there.
        offset: i64,
        /// What is wrong with it. Holds nothing personal.
        reason: String,
    },
    /// A stored event cannot be read by this program: stop, and look at it; never skip it.
    #[error("position {position} of {stream}: {source}")]
    Unreadable {
        /// Which stream.
        stream: StreamId,
        /// Which position.
        position: u64,
        /// Why.
        source: domain::event::Unreadable,
    },
    /// Something stored is not what this program writes: stop, and look at it.
    #[error("{0}")]
    Corrupt(String),
    /// Sealed data whose key is not there though nobody destroyed it: stop, and restore the vault.
    #[error("the key of subject {0} is missing")]
    KeyMissing(uuid::Uuid),
    /// Sealed data that was changed, moved to another event, or sealed with another key: stop, and look at it.
    #[error("sealed data of subject {0} does not open")]
    Seal(uuid::Uuid),
    /// The configured master key is not the one this log was made with. Configure the right one.
    #[error("the master key is not the one that this log's personal data is sealed under")]
    WrongMasterKey,
}

impl Error {
    /// Whether the database or the broker may be away, so that the same thing may work in a moment. Anything else fails again.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unavailable(error) => is_outage(error),
            Self::Append(error) => match error.code() {
                Some(code) => says_outage(code.code()),
                // A parameter that cannot be written has a cause of its own.
                None => error.source().is_none_or(|cause| cause.is::<std::io::Error>()),
            },
            Self::Connect(error) => error.code().is_none_or(|code| says_outage(code.code())),
            Self::BrokerUnavailable(_) => true,
            _ => false,
        }
    }
}

/// What has failed. What a database adds as detail may show a row, which no log of ours does.
fn said(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(of_database), _) => format!("{} ({})", of_database.message(), of_database.code().code()),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

impl Error {
    /// Of an append that was tried once: whether it may have been done all the same, or may yet be. Not when the statement itself has failed.
    pub fn may_be_done(&self) -> bool {
        let Self::Append(error) = self else { return false };
        // Two transactions in each other's way, and a lock that was not waited for, end the statement and not the connection.
        let ended = |code: &str| !says_outage(code) || code.starts_with("40") || code.starts_with("55P");
        error.code().is_none_or(|code| !ended(code.code()))
    }
}

/// Whether the database may be away, so that the same thing may work in a moment.
pub fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => error.code().is_some_and(|code| says_outage(&code)),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// Connections lost, resources short, shutting down, two transactions that stood in each other's way, and a server that only reads
/// (25006): a standby that is not promoted yet, or the primary of before.
fn says_outage(code: &str) -> bool {
    ["08", "25006", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
}
