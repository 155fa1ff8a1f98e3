//! What can go wrong between the rows and OpenSearch, and what to do then.

use reqwest::StatusCode;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// OpenSearch did not answer, in time or at all. Try again.
    #[error("OpenSearch does not answer: {0}")]
    Away(String),
    /// It was not asked: it failed so often just now that it is left alone for a moment. Ask another finder.
    #[error("OpenSearch has failed too often just now to be asked")]
    Resting,
    /// OpenSearch answered that it has too much to do (429, 502, 503, 504). Try again, later.
    #[error("OpenSearch is too busy ({status})")]
    Busy {
        /// What it answered.
        status: StatusCode,
    },
    /// OpenSearch will not do it, today or tomorrow: the operator must look.
    #[error("OpenSearch refuses {what} ({status}): {reason}")]
    Refused {
        /// What was asked.
        what: String,
        /// What it answered.
        status: StatusCode,
        /// Its own words.
        reason: String,
    },
    /// It answered something that is not as documented.
    #[error("OpenSearch answers what cannot be understood: {0}")]
    Strange(String),
    /// The database with the read models is away. Try again.
    #[error("the read models do not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// What configures OpenSearch cannot be used; the message names the key. The start must stop.
    #[error("{0}")]
    Configuration(String),
    /// Another process does this just now. Try again when it has ended.
    #[error("another process is {0} just now")]
    Taken(&'static str),
    /// A new index does not equal the rows; nothing was changed. Build it again, and look at the index when that does not help.
    #[error("the new index differs from the rows, and the old one is kept: {0}")]
    Differs(String),
}

impl Error {
    /// Whether the same may be answered later.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Resting | Self::Busy { .. } | Self::Database(_))
    }

    /// Whether there is no such thing.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == StatusCode::NOT_FOUND)
    }
}
