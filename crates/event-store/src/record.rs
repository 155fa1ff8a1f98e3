//! What is recorded.

use chrono::{DateTime, Utc};
use domain::ids::SubjectId;
use domain::{Actor, Event, StreamId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

/// A place in the log: 1, 2, 3, …; 0 is before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl From<i64> for Position {
    fn from(position: i64) -> Self {
        Self(position.unsigned_abs())
    }
}
impl From<Position> for i64 {
    fn from(position: Position) -> Self {
        Self::try_from(position.0).unwrap_or(Self::MAX)
    }
}
impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a log ends, or how far somebody has come in it. Positions of different epochs cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Which log.
    pub epoch: Uuid,
    /// How far.
    pub position: Position,
}

/// Why an event came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// All that follows from one request of the outside has the same one.
    pub correlation_id: Uuid,
    /// The event that it followed from directly, when it followed from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// Who did it.
    pub actor: Actor,
    /// The W3C trace context of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// The id of a command: the same one twice is the same command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandKey {
    /// Keeps the keys of different callers apart; 0 is the system itself.
    pub scope: i64,
    /// The id.
    pub id: Uuid,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Where in the log.
    pub position: Position,
    /// Its own id.
    pub event_id: Uuid,
    /// Of which stream.
    pub stream: StreamId,
    /// Which of its stream, from 1.
    pub version: u32,
    /// Its stored name.
    pub type_name: String,
    /// The schema version it is stored in.
    pub schema_version: u16,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// By which command.
    pub command_id: Uuid,
    /// Why.
    pub metadata: Metadata,
    /// What.
    pub event: Event,
}

/// An event as it is stored; what is sealed stays sealed.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Where in the log.
    pub position: Position,
    /// Its own id.
    pub event_id: Uuid,
    /// Of which stream.
    pub stream: StreamId,
    /// Which of its stream, from 1.
    pub version: u32,
    /// Its stored name.
    pub type_name: String,
    /// The schema version it is stored in.
    pub schema_version: u16,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// By which command.
    pub command_id: Uuid,
    /// Why.
    pub metadata: Metadata,
    /// What, without personal data.
    pub data: Box<RawValue>,
    /// Whose personal data is sealed in it.
    pub subject: Option<SubjectId>,
    /// That personal data, sealed. Without the subject's key nobody can read it.
    pub sealed: Option<Vec<u8>>,
}
