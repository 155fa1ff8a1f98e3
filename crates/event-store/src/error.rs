//! What can go wrong with the log, and what to do then.

use domain::StreamId;

/// What can go wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away or gave up. An append may have happened or not: the same commands with the same keys may be
    /// sent again. Becomes problem `unavailable` (503).
    #[error("the database does not answer: {0}")]
    Unavailable(#[from] sqlx::Error),
    /// The log is another one than the caller knows (restored, or failed over with loss): forget all states, look at the head.
    #[error("the log has another epoch")]
    EpochMoved,
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
