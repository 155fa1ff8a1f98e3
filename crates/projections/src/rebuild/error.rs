//! Why a read model was not rebuilt, or not rolled back, and what to do then.

use event_store::Position;

/// Why a read model was not rebuilt, or not rolled back. What was running goes on running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A database was away for too long, or the rows are of a newer program: see there. The same command goes on where it was.
    #[error(transparent)]
    Fold(#[from] crate::Error),
    /// Another rebuild or rollback of this read model is at work: wait for it.
    #[error("{model} is being rebuilt or rolled back by somebody else")]
    Busy {
        /// The read model.
        model: &'static str,
    },
    /// The running read model was folded over another history of the log, so there is nothing to compare with.
    #[error("{model} was folded over another log: rebuild it with --accept-differences")]
    OtherEpoch {
        /// The read model.
        model: &'static str,
    },
    /// Its tables could not be locked without making queries wait: somebody reads them all the time in long transactions. The
    /// same command tries again.
    #[error(
        "the tables of {model} were in use for {seconds} s without a pause: try again when long queries have ended"
    )]
    InUse {
        /// The read model.
        model: &'static str,
        /// How long it was tried.
        seconds: u64,
    },
    /// The running tables were changed by a migration after the copy was made: rebuild anew, a rollback is no longer possible.
    #[error("the tables of {model} have changed since its copy was made")]
    TablesChanged {
        /// The read model.
        model: &'static str,
    },
    /// An event that the model cannot take, or that cannot be read: mend that, and the same command goes on. Nothing is skipped.
    #[error("{model} stops before position {position} of {stream}: {source}")]
    Poison {
        /// The read model.
        model: &'static str,
        /// Where in the log the event is.
        position: Position,
        /// Whose event that is.
        stream: String,
        /// Why.
        source: Box<crate::Error>,
    },
    /// The copy was thrown away while it was being folded.
    #[error("the copy of {model} was thrown away by somebody else")]
    Replaced {
        /// The read model.
        model: &'static str,
    },
    /// There is nothing to roll back to.
    #[error("no old copy of {model} is kept")]
    NoOldCopy {
        /// The read model.
        model: &'static str,
    },
    /// The old copy has rows of another shape: roll back with the program that writes those.
    #[error(
        "the old copy of {model} has rows of version {found}, this program writes {known}: use the one that wrote it"
    )]
    OtherVersion {
        /// The read model.
        model: &'static str,
        /// The shape of the old rows.
        found: i32,
        /// What this program writes.
        known: i32,
    },
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Fold(error.into())
    }
}

impl From<event_store::Error> for Error {
    fn from(error: event_store::Error) -> Self {
        Self::Fold(error.into())
    }
}

impl Error {
    /// Whether the same thing may work in a moment: a database was away, or two transactions stood in each other's way.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self, Self::Fold(error) if error.is_outage())
    }
}
