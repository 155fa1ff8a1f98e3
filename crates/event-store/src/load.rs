//! Loading streams to decide on them: a snapshot where there is one, and what came after it, of many streams in one query.

use std::collections::HashMap;

use domain::{State, StreamId};
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use crate::row::{Row, columns};
use crate::{Error, EventStore, Recorded};

/// A stream that is wanted, from some version on.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which.
    pub stream: StreamId,
    /// What is known already; 0 for nothing.
    pub after_version: u32,
}

/// A stream as it was found.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Which.
    pub stream: StreamId,
    /// A snapshot that is further than what was known, with its version.
    pub snapshot: Option<(u32, State)>,
    /// What came after the snapshot, or after what was known.
    pub events: Vec<Recorded>,
    /// The version after all of it.
    pub version: u32,
}

const LOAD: &str = concat!(
    "WITH wanted AS (
        SELECT w.ordinal, w.stream, s.version AS snapshot_version, s.state,
               greatest(w.after_version, coalesce(s.version, 0)) AS from_version
          FROM unnest($1::text[], $2::int[]) WITH ORDINALITY w (stream, after_version, ordinal)
          LEFT JOIN log.snapshots s
            ON s.stream = w.stream COLLATE \"C\" AND s.state_schema = $3 AND s.version > w.after_version
     )
     SELECT w.ordinal, w.from_version, w.snapshot_version,
            -- only once per stream: states can be large
            CASE WHEN e.version IS NULL OR e.version = w.from_version + 1 THEN w.state::text END AS state, ",
    columns!(),
    " FROM wanted w LEFT JOIN log.events e ON e.stream = w.stream COLLATE \"C\" AND e.version > w.from_version
     ORDER BY w.ordinal, e.version"
);

/// No snapshot has this schema: whoever asks for it gets none.
const NO_SNAPSHOTS: i32 = -1;

impl EventStore {
    /// Loads streams, all with one query. A stream without events has version 0 and nothing in it.
    pub async fn load(&self, wanted: &[Wanted]) -> Result<Vec<Loaded>, Error> {
        let (mut loaded, unreadable) = self.load_over(wanted, i32::from(State::SCHEMA_VERSION)).await?;
        if unreadable.is_empty() {
            return Ok(loaded);
        }
        // A snapshot is only ever a shortcut: without it, the events say the same.
        let again: Vec<_> = unreadable.iter().filter_map(|index| wanted.get(*index)).cloned().collect();
        let (whole, _) = self.load_over(&again, NO_SNAPSHOTS).await?;
        for (index, whole) in unreadable.into_iter().zip(whole) {
            loaded[index] = whole;
        }
        Ok(loaded)
    }

    /// The streams over snapshots of that schema, and which of them have one that cannot be read.
    async fn load_over(&self, wanted: &[Wanted], schema: i32) -> Result<(Vec<Loaded>, Vec<usize>), Error> {
        let streams: Vec<_> = wanted.iter().map(|each| each.stream.as_str()).collect();
        let versions: Vec<_> = wanted.iter().map(|each| each.after_version as i32).collect();
        let found = sqlx::query(LOAD).bind(streams).bind(versions).bind(schema).fetch_all(&self.pool).await?;
        let nothing = |each: &Wanted| Loaded {
            stream: each.stream.clone(),
            snapshot: None,
            events: Vec::new(),
            version: each.after_version,
        };
        let mut loaded: Vec<_> = wanted.iter().map(nothing).collect();
        let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
        for row in &found {
            let ordinal: i64 = row.try_get("ordinal")?;
            let index = ordinal.unsigned_abs() as usize - 1;
            let Some(entry) = loaded.get_mut(index) else { continue };
            if let (Some(version), Some(state)) = (
                row.try_get::<Option<i32>, _>("snapshot_version")?,
                row.try_get::<Option<String>, _>("state")?,
            ) {
                entry.version = version.unsigned_abs();
                match serde_json::from_str(&state) {
                    Ok(state) if fits(&state, &entry.stream) => entry.snapshot = Some((entry.version, state)),
                    _ => {
                        tracing::warn!(stream = %entry.stream, "a snapshot cannot be read; all events are read instead");
                        unreadable.push(index);
                    }
                }
            }
            if row.try_get::<Option<i64>, _>("position")?.is_some() {
                rows.push(Row::from_row(row)?);
            }
        }
        let places: HashMap<_, _> =
            wanted.iter().enumerate().map(|(index, each)| (each.stream.clone(), index)).collect();
        for event in self.decode(rows).await? {
            if let Some(entry) = places.get(&event.stream).and_then(|index| loaded.get_mut(*index)) {
                entry.version = event.version;
                entry.events.push(event);
            }
        }
        Ok((loaded, unreadable))
    }

    /// Keeps states of streams for faster loading. An older one never replaces a newer one, and one of a version that the log
    /// does not have is left out: its events were lost in a failover.
    /// Those that were taken of a log with another epoch are left out as well.
    pub async fn save_snapshots(
        &self,
        epoch: Uuid,
        snapshots: &[(StreamId, u32, State)],
    ) -> Result<(), Error> {
        let mut sorted: Vec<_> = snapshots.iter().collect();
        sorted.sort_by(|left, right| left.0.cmp(&right.0));
        let streams: Vec<_> = sorted.iter().map(|(stream, ..)| stream.as_str()).collect();
        let versions: Vec<_> = sorted.iter().map(|(_, version, _)| *version as i32).collect();
        let states = sorted
            .iter()
            .map(|(stream, _, state)| {
                serde_json::to_string(state)
                    .map_err(|error| Error::Corrupt(format!("the state of {stream}: {error}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        sqlx::query(
            "INSERT INTO log.snapshots (stream, version, state_schema, state)
             SELECT s.stream, s.version, $4, s.state::json FROM unnest($1::text[], $2::int[], $3::text[]) s (stream, version, state)
              WHERE EXISTS (SELECT FROM log.events e WHERE e.stream = s.stream COLLATE \"C\" AND e.version = s.version)
                AND (SELECT h.epoch FROM log.head h) = $5
             ON CONFLICT (stream) DO UPDATE
                SET version = excluded.version, state_schema = excluded.state_schema, state = excluded.state
              WHERE snapshots.version < excluded.version OR snapshots.state_schema <> excluded.state_schema",
        )
        .bind(streams)
        .bind(versions)
        .bind(states)
        .bind(i32::from(State::SCHEMA_VERSION))
        .bind(epoch)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Whether a state is one of the stream's category.
fn fits(state: &State, stream: &StreamId) -> bool {
    std::mem::discriminant(state) == std::mem::discriminant(&State::initial(stream.category()))
}
