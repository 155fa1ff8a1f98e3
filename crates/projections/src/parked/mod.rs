//! Parking: an event that a read model cannot take stops its stream for that model, and nothing else.
//!
//! The event and all later ones of its stream wait, in order, in the log; [`retry`] takes them from there. Nothing is skipped, and
//! an outage parks nothing. Who parks or retries holds the lock of the model's progress in the lane of the stream.

mod refusal;
mod retry;
mod sift;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::StreamId;
use event_store::{Lane, Position};
use serde::Serialize;
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

use crate::Error;

pub(crate) use refusal::Refusal;
#[cfg(test)]
pub(crate) use retry::retry_model;
pub use retry::{Retried, retry};
pub(crate) use sift::{guard, guarded, sift};

/// With more parked streams it is the model that is broken, and not the events.
pub(crate) const PARKED_MAX: usize = 1_000;

/// A stream that a read model cannot go on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Parked {
    /// The read model.
    pub model: String,
    /// The stream.
    pub stream: String,
    /// The lane it came in.
    pub lane: String,
    /// Where in the log the event is that cannot be taken.
    pub position: i64,
    /// Which of its stream it is.
    pub version: i32,
    /// Its id.
    pub event_id: Uuid,
    /// Its stored name.
    #[sqlx(rename = "type")]
    #[serde(rename = "type")]
    pub type_name: String,
    /// Why it cannot be taken. Holds nothing personal.
    pub error: String,
    /// Since when.
    pub parked_at: DateTime<Utc>,
    /// When it was last retried.
    pub tried_at: Option<DateTime<Utc>>,
    /// How often it was retried.
    pub tries: i32,
}

/// What is parked, by read model and then as it came.
pub async fn parked(read: &PgPool) -> Result<Vec<Parked>, Error> {
    let all = sqlx::query_as(
        "SELECT model, stream, lane, position, version, event_id, type, error, parked_at, tried_at, tries \
         FROM read.parked ORDER BY model, position",
    );
    Ok(all.fetch_all(read).await?)
}

/// The parked streams of these models.
pub(crate) async fn streams(
    connection: &mut PgConnection,
    models: &[&str],
) -> Result<HashMap<String, HashSet<StreamId>>, Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT model, stream FROM read.parked WHERE model = ANY ($1)")
            .bind(models)
            .fetch_all(connection)
            .await?;
    let mut all: HashMap<String, HashSet<StreamId>> = HashMap::new();
    for (model, stream) in rows {
        let parsed = StreamId::parse(&stream);
        let stream = parsed.ok_or_else(|| Error::Corrupt(format!("{stream:?} is parked, and no stream")))?;
        all.entry(model).or_default().insert(stream);
    }
    Ok(all)
}

/// Parks these streams, which came in one of these lanes.
pub(crate) async fn park(
    connection: &mut PgConnection,
    model: &str,
    lanes: &[Lane],
    refusals: &[Refusal],
) -> Result<(), sqlx::Error> {
    for refusal in refusals {
        let lane = lanes.iter().find(|lane| lane.holds(&refusal.stream)).unwrap_or(&Lane::Log);
        sqlx::query(
            "INSERT INTO read.parked (model, stream, lane, position, version, event_id, type, error) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        )
        .bind(model)
        .bind(refusal.stream.as_str())
        .bind(lane.to_string())
        .bind(i64::from(refusal.position))
        .bind(refusal.version as i32)
        .bind(refusal.event_id)
        .bind(&refusal.type_name)
        .bind(&refusal.error)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Nothing of this model is parked any more: it is folded anew.
pub(crate) async fn clear(connection: &mut PgConnection, model: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM read.parked WHERE model = $1").bind(model).execute(connection).await?;
    Ok(())
}

/// The position before a stored one.
fn before(position: i64) -> Position {
    Position::from(position.saturating_sub(1).max(0))
}
