//! How a recorded event is shown to analysts and auditors. What is sealed stays sealed: only whose key seals it is told.

use chrono::{DateTime, Utc};
use domain::Actor;
use event_store::Raw;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

/// A recorded event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordedEvent)]
pub(crate) struct Shown<'a> {
    /// Its place in the log: 1, 2, 3, …
    pub(crate) position: u64,
    /// Its id.
    pub(crate) event_id: Uuid,
    /// The stream it belongs to.
    #[schema(example = "order-0192f0c1-9d3e-7cc4-8000-000000000000")]
    pub(crate) stream: &'a str,
    /// Its place in its stream: 1, 2, 3, …
    pub(crate) version: u32,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "OrderPlaced")]
    pub(crate) type_name: &'a str,
    /// The schema version of `data`.
    pub(crate) schema_version: u16,
    /// When.
    pub(crate) recorded_at: DateTime<Utc>,
    /// The command that brought it about.
    pub(crate) command_id: Uuid,
    /// What it belongs to together with others.
    pub(crate) correlation_id: Uuid,
    /// The event that it follows from, when it follows from one.
    pub(crate) causation_id: Option<Uuid>,
    /// Who gave the command.
    #[schema(value_type = Object, example = json!({"kind": "customer", "id": "0192f0c1-9d3e-7cc4-8000-000000000000"}))]
    pub(crate) actor: &'a Actor,
    /// W3C trace context.
    pub(crate) traceparent: Option<&'a str>,
    /// Whose key seals its personal data, when it has any.
    pub(crate) subject: Option<Uuid>,
    /// What it says, without personal data, as it is stored.
    #[schema(value_type = Object)]
    pub(crate) data: &'a RawValue,
}

impl<'a> From<&'a Raw> for Shown<'a> {
    fn from(raw: &'a Raw) -> Self {
        Self {
            position: raw.position.0,
            event_id: raw.event_id,
            stream: raw.stream.as_str(),
            version: raw.version,
            type_name: &raw.type_name,
            schema_version: raw.schema_version,
            recorded_at: raw.recorded_at,
            command_id: raw.command_id,
            correlation_id: raw.metadata.correlation_id,
            causation_id: raw.metadata.causation_id,
            actor: &raw.metadata.actor,
            traceparent: raw.metadata.traceparent.as_deref(),
            subject: raw.subject.map(|subject| subject.0),
            data: &raw.data,
        }
    }
}
