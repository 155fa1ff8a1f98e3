//! Which error where: handlers answer with [`Error`], which says what the caller should do and becomes a problem document.
//! Extractors of `http_surface` answer with their own problems before a handler is reached.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_surface::Problem;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such thing, or it is not the caller's: the two look the same. `not-found`, 404.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A parameter breaks a rule; correct it. `invalid-parameter`, 400.
    #[error("{name} {rule}")]
    Parameter {
        /// Which one.
        name: &'static str,
        /// What it must be.
        rule: String,
    },
    /// The read models have not reached the position of the `Consistency-Token` in time; ask again. `not-yet-consistent`,
    /// 503 with `Retry-After`.
    #[error("the answer would be older than the Consistency-Token asks for; ask again")]
    Lagging,
    /// The `Consistency-Token` belongs to another history of the log (it was restored); leave the token out.
    /// `consistency-token-epoch`, 409.
    #[error("the Consistency-Token belongs to another history of the log; ask without it")]
    OtherEpoch,
    /// Too many streams are open; ask again later. `too-many-streams`, 503 with `Retry-After`.
    #[error("too many streams are open")]
    TooManyStreams,
    /// The read models cannot be asked just now; ask again. `unavailable`, 503 with `Retry-After`.
    #[error("the read models cannot be reached")]
    Database(#[from] sqlx::Error),
    /// The log cannot be read just now; ask again. `unavailable`, 503 with `Retry-After`.
    #[error("the log cannot be reached")]
    Store(#[from] event_store::Error),
    /// The projections cannot say how far they are; ask again. `unavailable`, 503 with `Retry-After`.
    #[error("the read models cannot be reached")]
    Projections(#[from] projections::Error),
    /// What is stored is not what it should be: the operator must look. `internal`, 500.
    #[error("what is stored cannot be read: {0}")]
    Unreadable(String),
    /// A problem that an extractor or the cursor has named already.
    #[error("{0:?}")]
    Named(Box<Problem>),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Named(Box::new(problem))
    }
}

impl Error {
    /// Its status, its stable code, and after how many seconds to ask again where that helps.
    fn kind(&self) -> (StatusCode, &'static str, Option<u32>) {
        match self {
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found", None),
            Self::Parameter { .. } => (StatusCode::BAD_REQUEST, "invalid-parameter", None),
            Self::Lagging => (StatusCode::SERVICE_UNAVAILABLE, "not-yet-consistent", Some(1)),
            Self::OtherEpoch => (StatusCode::CONFLICT, "consistency-token-epoch", None),
            Self::TooManyStreams => (StatusCode::SERVICE_UNAVAILABLE, "too-many-streams", Some(5)),
            Self::Database(_) | Self::Store(_) | Self::Projections(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", Some(1))
            }
            Self::Unreadable(_) | Self::Named(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal", None),
        }
    }

    /// What people are told. What is stored, and what the database says, is for the operator's eyes only.
    fn detail(&self) -> String {
        match self {
            Self::Unreadable(_) => "something went wrong here; the operator knows".to_owned(),
            other => other.to_string(),
        }
    }

    /// The operator's part of it: a failure is logged once, here, where it is handled.
    fn log(&self) {
        match self {
            Self::Database(error) => tracing::warn!(%error, "a query failed: the read models did not answer"),
            Self::Store(error) => tracing::warn!(%error, "a query failed: the log did not answer"),
            Self::Projections(error) => tracing::warn!(%error, "a query failed: the progress is not known"),
            Self::Unreadable(what) => tracing::error!(%what, "a query failed: what is stored cannot be read"),
            _ => {}
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        if let Error::Named(problem) = error {
            return *problem;
        }
        error.log();
        let (status, code, retry_after) = error.kind();
        let problem = Self::new(status, code, error.detail());
        match retry_after {
            Some(seconds) => problem.retry_after(seconds),
            None => problem,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
