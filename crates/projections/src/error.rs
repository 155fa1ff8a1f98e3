//! What can go wrong with read models, and what to do then.

use event_store::Position;
use uuid::Uuid;

/// What can go wrong with read models.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away or gave up, or a statement does not fit it. Queries: ask again. The projector tries again by itself.
    #[error("the read models do not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The log cannot be read, or holds an event that this program cannot read. The projector tries again by itself.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// Events that a read model cannot be folded over: the operator must look. The projector goes on trying, and skips nothing.
    #[error("{model} stops before position {position} of {stream}: {source}")]
    Poison {
        /// The read model.
        model: &'static str,
        /// The first event of the batch that it could not take.
        position: Position,
        /// Whose event that is.
        stream: String,
        /// Why.
        source: Box<Error>,
    },
    /// The rows were folded over another history of the log (it was restored, or failed over with loss): they must be folded
    /// anew from this one. The projector has stopped.
    #[error("{model} was folded over the log {folded}, but the log is {log}: fold it anew")]
    OtherEpoch {
        /// The read model.
        model: String,
        /// The log it was folded over.
        folded: Uuid,
        /// The log as it is.
        log: Uuid,
    },
    /// The rows were written by a newer program: run that one. The projector has stopped.
    #[error("{model} has rows of version {found}, newer than {known}")]
    Newer {
        /// The read model.
        model: String,
        /// What is stored.
        found: i32,
        /// What this program knows.
        known: i32,
    },
    /// Something is not what this crate's own rules say; a defect.
    #[error("{0}")]
    Corrupt(String),
}

impl Error {
    /// Whether the database was away, rather than the events or the rows being wrong.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Database(error) | Self::Log(event_store::Error::Unavailable(error)) => is_outage(error),
            Self::Poison { source, .. } => source.is_outage(),
            _ => false,
        }
    }
}

fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        // Connections lost, resources short, shutting down, and two transactions that stood in each other's way.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
        }),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}
