//! What can go wrong with read models, and what to do then.

use event_store::is_outage;
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
    /// A read model that cannot take the events of so many streams is broken itself: mend it, and start the projector again. It has
    /// stopped, and skipped nothing.
    #[error(
        "{model} cannot take the events of more than {parked_max} streams: it is the read model that is broken"
    )]
    Broken {
        /// The read model.
        model: String,
        /// So many streams of one model may be parked.
        parked_max: usize,
    },
    /// A read model panicked over events; a defect. Its stream is parked.
    #[error("the read model panicked over it; what the process printed says where")]
    Panicked,
    /// The rows were written by another program than the one that is to go on with what is parked: use that one.
    #[error("{model} has rows of version {found}, and this program writes version {known}")]
    OtherShape {
        /// The read model.
        model: String,
        /// What is stored.
        found: i32,
        /// What this program writes.
        known: i32,
    },
    /// There is no read model of that name: look at their list.
    #[error("there is no read model {0:?}")]
    Unknown(String),
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
    /// Whether what is needed was away, rather than the events or the rows being wrong.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Database(error) => is_outage(error),
            Self::Log(error) => error.is_outage(),
            _ => false,
        }
    }

    /// Whether two transactions stood in each other's way: at once again, one of them goes through.
    pub(crate) fn is_collision(&self) -> bool {
        matches!(self, Self::Database(error) if code(error).is_some_and(|code| code.starts_with("40")))
    }

    /// Whether the transaction may not write. Where it was begun so, that is no outage but the fault of whoever wrote.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(self, Self::Database(error) if code(error).is_some_and(|code| code == "25006"))
    }

    /// Whether an event is to blame that was being applied, or the rows that it met, rather than the database or the program's
    /// fitting it.
    pub(crate) fn is_poison(&self) -> bool {
        match self {
            Self::Corrupt(_) | Self::Panicked => true,
            // Wrong data, a broken constraint, something too large, raised by a function.
            Self::Database(sqlx::Error::Database(error)) => error.code().is_some_and(|code| {
                ["21", "22", "23", "44", "54", "P0"].iter().any(|class| code.starts_with(class))
            }),
            Self::Database(error) => matches!(
                error,
                sqlx::Error::Decode(_)
                    | sqlx::Error::ColumnDecode { .. }
                    | sqlx::Error::Encode(_)
                    | sqlx::Error::RowNotFound
            ),
            _ => false,
        }
    }

    /// Whether no waiting mends it.
    pub(crate) fn is_final(&self) -> bool {
        use event_store::Error::RecordOfOtherEpoch;
        matches!(
            self,
            Self::OtherEpoch { .. }
                | Self::Newer { .. }
                | Self::Broken { .. }
                | Self::Log(RecordOfOtherEpoch { .. })
        )
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(String::from)
}
