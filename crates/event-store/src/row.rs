//! Rows of `log.events`, and what they say.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::ids::SubjectId;
use domain::{Event, StreamId};
use serde_json::value::RawValue;
use sqlx::FromRow;
use uuid::Uuid;

use crate::keys::Subject;
use crate::{Error, EventStore, Metadata, Raw, Received, Recorded, Unreadable};

/// The columns of [`Row`], for any query.
macro_rules! columns {
    () => {
        "e.position, e.event_id, e.stream, e.version, e.type AS type_name, e.schema_version, e.recorded_at, e.command_id, \
         e.metadata::text AS metadata, e.data::text AS data, e.subject, e.sealed"
    };
}
pub(crate) use columns;

#[derive(Debug, FromRow)]
pub(crate) struct Row {
    pub(crate) position: i64,
    pub(crate) event_id: Uuid,
    pub(crate) stream: String,
    pub(crate) version: i32,
    pub(crate) type_name: String,
    pub(crate) schema_version: i16,
    pub(crate) recorded_at: DateTime<Utc>,
    pub(crate) command_id: Uuid,
    pub(crate) metadata: String,
    pub(crate) data: String,
    pub(crate) subject: Option<Uuid>,
    pub(crate) sealed: Option<Vec<u8>>,
}

/// What sealed data belongs to: it opens in this event of this stream only.
pub(crate) fn bound_to(stream: &str, version: u32, type_name: &str) -> String {
    format!("{stream}\u{0}{version}\u{0}{type_name}")
}

impl Row {
    fn stream_id(&self) -> Result<StreamId, Error> {
        StreamId::parse(&self.stream).ok_or_else(|| {
            Error::Corrupt(format!("position {}: {:?} is not a stream", self.position, self.stream))
        })
    }

    fn metadata(&self) -> Result<Metadata, Error> {
        serde_json::from_str(&self.metadata)
            .map_err(|error| Error::Corrupt(format!("position {}: metadata: {error}", self.position)))
    }

    /// As it is stored.
    pub(crate) fn raw(self) -> Result<Raw, Error> {
        let (stream, metadata) = (self.stream_id()?, self.metadata()?);
        let data = RawValue::from_string(self.data)
            .map_err(|error| Error::Corrupt(format!("position {}: data: {error}", self.position)))?;
        Ok(Raw {
            position: self.position.into(),
            event_id: self.event_id,
            stream,
            version: self.version.unsigned_abs(),
            type_name: self.type_name,
            schema_version: self.schema_version.unsigned_abs(),
            recorded_at: self.recorded_at,
            command_id: self.command_id,
            metadata,
            data,
            subject: self.subject.map(SubjectId),
            sealed: self.sealed,
        })
    }

    fn recorded(self, personal: Option<&str>) -> Result<Recorded, Error> {
        let (stream, metadata) = (self.stream_id()?, self.metadata()?);
        let (position, schema_version) = (self.position.into(), self.schema_version.unsigned_abs());
        let event =
            Event::decode(&self.type_name, schema_version, &self.data, personal).map_err(|source| {
                Error::Unreadable { stream: stream.clone(), position: self.position.unsigned_abs(), source }
            })?;
        Ok(Recorded {
            position,
            event_id: self.event_id,
            stream,
            version: self.version.unsigned_abs(),
            type_name: self.type_name,
            schema_version,
            recorded_at: self.recorded_at,
            command_id: self.command_id,
            metadata,
            event,
        })
    }
}

impl EventStore {
    /// Reads rows into events, with personal data where its key is still there. Keys are looked up once for all.
    pub(crate) async fn decode(&self, rows: Vec<Row>) -> Result<Vec<Recorded>, Error> {
        let subjects = rows.iter().filter(|row| row.sealed.is_some()).filter_map(|row| row.subject);
        let keys = self.keys_of(subjects.collect()).await?;
        rows.into_iter().map(|row| opened(row, &keys)).collect()
    }

    /// Reads stored events, wherever they come from, each for itself: one that cannot be read holds up no other.
    ///
    /// # Errors
    /// When the vault's database is away.
    pub async fn open_each(&self, raws: Vec<Raw>) -> Result<Vec<Received>, Error> {
        let subjects = raws.iter().filter(|raw| raw.sealed.is_some()).filter_map(|raw| raw.subject);
        let keys = self.keys_of(subjects.map(|subject| subject.0).collect()).await?;
        Ok(raws.into_iter().map(|raw| opened_raw(raw, &keys)).collect())
    }

    async fn keys_of(&self, subjects: HashSet<Uuid>) -> Result<HashMap<Uuid, Subject>, Error> {
        if subjects.is_empty() {
            return Ok(HashMap::new());
        }
        self.keys.of(&self.pool, subjects, false).await
    }
}

/// A row's event, with its personal data where the key is still there.
fn opened(row: Row, keys: &HashMap<Uuid, Subject>) -> Result<Recorded, Error> {
    let (Some(subject), Some(sealed)) = (row.subject, &row.sealed) else {
        return row.recorded(None);
    };
    let key = keys.get(&subject).ok_or(Error::KeyMissing(subject))?;
    let bound = bound_to(&row.stream, row.version.unsigned_abs(), &row.type_name);
    let personal = key.open(subject, sealed, &bound)?;
    row.recorded(personal.as_deref())
}

fn opened_raw(raw: Raw, keys: &HashMap<Uuid, Subject>) -> Received {
    let personal = match (raw.subject, &raw.sealed) {
        (Some(SubjectId(subject)), Some(sealed)) => {
            let bound = bound_to(raw.stream.as_str(), raw.version, &raw.type_name);
            let key = keys.get(&subject).ok_or(Error::KeyMissing(subject));
            key.and_then(|key| key.open(subject, sealed, &bound))
        }
        _ => Ok(None),
    };
    let decoded = personal.map_err(|error| error.to_string()).and_then(|personal| {
        Event::decode(&raw.type_name, raw.schema_version, raw.data.get(), personal.as_deref())
            .map_err(|error| error.to_string())
    });
    match decoded {
        Ok(event) => Ok(Recorded {
            position: raw.position,
            event_id: raw.event_id,
            stream: raw.stream,
            version: raw.version,
            type_name: raw.type_name,
            schema_version: raw.schema_version,
            recorded_at: raw.recorded_at,
            command_id: raw.command_id,
            metadata: raw.metadata,
            event,
        }),
        Err(error) => Err(Unreadable {
            position: raw.position,
            event_id: raw.event_id,
            stream: raw.stream,
            version: raw.version,
            type_name: raw.type_name,
            error,
        }),
    }
}
