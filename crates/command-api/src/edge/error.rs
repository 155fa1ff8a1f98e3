//! What the engine says, as problem documents.

use axum::http::StatusCode;
use http_surface::Problem;

use crate::engine::Error;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Refused(refusal) => refusal.into(),
            Error::KeyReused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", detail),
            Error::Stale { .. } => Self::new(StatusCode::PRECONDITION_FAILED, "stale", detail),
            Error::Overloaded => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(1)
            }
            Error::Unavailable => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
            }
            Error::Defect => Self::internal(),
        }
    }
}

/// The log could not be read.
pub(crate) fn log_failure(error: event_store::Error) -> Problem {
    tracing::error!(%error, "the log could not be read");
    match error {
        event_store::Error::Unavailable(_) | event_store::Error::EpochMoved => Error::Unavailable.into(),
        _ => Problem::internal(),
    }
}
