//! An event that a read model cannot take, and why.

use domain::StreamId;
use event_store::{Position, Recorded, Unreadable};
use uuid::Uuid;

use crate::Error;

/// The first event of a stream that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) stream: StreamId,
    pub(crate) position: Position,
    pub(crate) version: u32,
    pub(crate) event_id: Uuid,
    pub(crate) type_name: String,
    pub(crate) error: String,
}

impl Refusal {
    /// The model failed on it.
    pub(crate) fn of(recorded: &Recorded, error: &Error) -> Self {
        Self {
            stream: recorded.stream.clone(),
            position: recorded.position,
            version: recorded.version,
            event_id: recorded.event_id,
            type_name: recorded.type_name.clone(),
            error: said(error),
        }
    }
}

impl From<&Unreadable> for Refusal {
    fn from(event: &Unreadable) -> Self {
        Self {
            stream: event.stream.clone(),
            position: event.position,
            version: event.version,
            event_id: event.event_id,
            type_name: event.type_name.clone(),
            error: event.error.clone(),
        }
    }
}

/// What an error says, without the values that some errors repeat: they may be personal.
fn said(error: &Error) -> String {
    match error {
        Error::Database(sqlx::Error::Database(error)) => {
            let code = error.code().unwrap_or_default();
            let of = [error.constraint(), error.table()].into_iter().flatten().next();
            match of {
                Some(of) => format!("the database refuses it: error {code} at {of}"),
                None => format!("the database refuses it: error {code}"),
            }
        }
        Error::Database(sqlx::Error::ColumnDecode { index, .. }) => {
            format!("a stored row cannot be read: column {index}")
        }
        Error::Database(_) => "a row cannot be read or written".to_owned(),
        error => error.to_string(),
    }
}
