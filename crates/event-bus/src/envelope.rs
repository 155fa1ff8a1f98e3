//! The records of a topic: CloudEvents 1.0 in Kafka's binary mode, and back.
//!
//! An event's key is its stream, its value the JSON of its payload as it is stored; all else is in headers. A watermark is a
//! record without a key and with an empty value. The rule by which a consumer reads them is in docs/following-kafka.md.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::ids::SubjectId;
use domain::{Actor, StreamId};
use event_store::{Metadata, Position, Raw};
use rdkafka::Message;
use rdkafka::message::{Header, Headers, OwnedHeaders, ToBytes};
use serde_json::value::RawValue;
use uuid::Uuid;

/// The names of the headers.
pub mod header {
    /// Always `1.0`.
    pub const SPEC_VERSION: &str = "ce_specversion";
    /// The event's id.
    pub const ID: &str = "ce_id";
    /// `/jumun/` and the category.
    pub const SOURCE: &str = "ce_source";
    /// `jumun.` and the type's stored name; `jumun.watermark`.
    pub const TYPE: &str = "ce_type";
    /// When it was recorded, RFC 3339.
    pub const TIME: &str = "ce_time";
    /// The stream.
    pub const SUBJECT: &str = "ce_subject";
    /// Always `application/json`; a watermark has none.
    pub const CONTENT_TYPE: &str = "content-type";
    /// Where in the log, from 1; of a watermark: all of this partition up to here came before it.
    pub const POSITION: &str = "ce_position";
    /// The position of the event before it in this partition; 0: there is none.
    pub const PREV_POSITION: &str = "ce_prevposition";
    /// Of which log.
    pub const EPOCH: &str = "ce_epoch";
    /// Which of its stream, from 1.
    pub const STREAM_VERSION: &str = "ce_streamversion";
    /// The schema version of the value.
    pub const SCHEMA_VERSION: &str = "ce_schemaversion";
    /// The command that brought it about.
    pub const COMMAND_ID: &str = "ce_commandid";
    /// What it belongs to together with others.
    pub const CORRELATION_ID: &str = "ce_correlationid";
    /// The event that it follows from, when it follows from one.
    pub const CAUSATION_ID: &str = "ce_causationid";
    /// Who gave the command, as JSON.
    pub const ACTOR: &str = "ce_actor";
    /// Whose key seals its personal data, when it has any.
    pub const SEALED_FOR: &str = "ce_sealedfor";
    /// That personal data, sealed; base64.
    pub const SEALED: &str = "ce_sealed";
    /// W3C trace context.
    pub const TRACEPARENT: &str = "traceparent";
}

const SPEC_VERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/json";
const TYPE_PREFIX: &str = "jumun.";
const WATERMARK_TYPE: &str = "jumun.watermark";
const WATERMARK_SOURCE: &str = "/jumun/relay";

/// An event, and its place in its partition.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The event as it is stored; what is sealed stays sealed.
    pub raw: Raw,
    /// The position of the event before it in its partition; 0: it is the first.
    pub prev: Position,
    /// Of which log.
    pub epoch: Uuid,
}

/// Says that all of its partition up to a position came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// All up to here.
    pub position: Position,
    /// The last event of the partition; 0: there is none.
    pub prev: Position,
    /// Of which log.
    pub epoch: Uuid,
}

/// What a record can be.
#[derive(Debug, Clone)]
pub enum Record {
    /// An event.
    Event(Envelope),
    /// A watermark.
    Watermark(Watermark),
}

/// A record that no relay wrote. Nothing of it is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record at offset {offset} of {topic}/{partition} is not one of ours: {why}")]
pub struct Malformed {
    /// The topic's whole name.
    pub topic: String,
    /// Which partition.
    pub partition: i32,
    /// Where in it.
    pub offset: i64,
    /// What is wrong. Holds nothing of the value.
    pub why: String,
}

impl Record {
    /// Where in the log.
    pub fn position(&self) -> Position {
        match self {
            Self::Event(envelope) => envelope.raw.position,
            Self::Watermark(watermark) => watermark.position,
        }
    }

    /// The position of the last event before it in its partition.
    pub fn prev(&self) -> Position {
        match self {
            Self::Event(envelope) => envelope.prev,
            Self::Watermark(watermark) => watermark.prev,
        }
    }

    /// Of which log.
    pub fn epoch(&self) -> Uuid {
        match self {
            Self::Event(envelope) => envelope.epoch,
            Self::Watermark(watermark) => watermark.epoch,
        }
    }
}

impl Envelope {
    /// The record's key.
    pub fn key(&self) -> &str {
        self.raw.stream.as_str()
    }

    /// The record's value.
    pub fn value(&self) -> &str {
        self.raw.data.get()
    }

    /// The record's headers.
    pub fn headers(&self) -> OwnedHeaders {
        let Raw { metadata, stream, .. } = &self.raw;
        let actor = serde_json::to_string(&metadata.actor)
            .unwrap_or_else(|error| unreachable!("an actor is plain data: {error}"));
        let source = format!("/jumun/{}", stream.category().name());
        let time = self.raw.recorded_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let type_name = format!("{TYPE_PREFIX}{}", self.raw.type_name);
        let headers = OwnedHeaders::new_with_capacity(19)
            .with(header::SPEC_VERSION, SPEC_VERSION)
            .with(header::ID, &self.raw.event_id.to_string())
            .with(header::SOURCE, &source)
            .with(header::TYPE, &type_name)
            .with(header::TIME, &time)
            .with(header::SUBJECT, stream.as_str())
            .with(header::CONTENT_TYPE, CONTENT_TYPE)
            .place(self.raw.position, self.prev, self.epoch)
            .with(header::STREAM_VERSION, &self.raw.version.to_string())
            .with(header::SCHEMA_VERSION, &self.raw.schema_version.to_string())
            .with(header::COMMAND_ID, &self.raw.command_id.to_string())
            .with(header::CORRELATION_ID, &metadata.correlation_id.to_string())
            .with(header::ACTOR, &actor);
        self.add_optional(headers)
    }

    fn add_optional(&self, headers: OwnedHeaders) -> OwnedHeaders {
        let causation = self.raw.metadata.causation_id.map(|id| id.to_string());
        let subject = self.raw.subject.map(|SubjectId(subject)| subject.to_string());
        let sealed = self.raw.sealed.as_ref().map(|sealed| BASE64.encode(sealed));
        [
            (header::CAUSATION_ID, causation.as_deref()),
            (header::SEALED_FOR, subject.as_deref()),
            (header::SEALED, sealed.as_deref()),
            (header::TRACEPARENT, self.raw.metadata.traceparent.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .fold(headers, |headers, (name, value)| headers.with(name, value))
    }
}

impl Watermark {
    /// The record's headers.
    pub fn headers(&self) -> OwnedHeaders {
        OwnedHeaders::new_with_capacity(7)
            .with(header::SPEC_VERSION, SPEC_VERSION)
            .with(header::ID, &format!("{}/{}", self.epoch, self.position))
            .with(header::SOURCE, WATERMARK_SOURCE)
            .with(header::TYPE, WATERMARK_TYPE)
            .place(self.position, self.prev, self.epoch)
    }
}

/// Adding headers.
trait Add {
    fn with<V: ToBytes + ?Sized>(self, name: &str, value: &V) -> Self;
    fn place(self, position: Position, prev: Position, epoch: Uuid) -> Self;
}

impl Add for OwnedHeaders {
    fn with<V: ToBytes + ?Sized>(self, key: &str, value: &V) -> Self {
        self.insert(Header { key, value: Some(value) })
    }

    fn place(self, position: Position, prev: Position, epoch: Uuid) -> Self {
        self.with(header::POSITION, &position.to_string())
            .with(header::PREV_POSITION, &prev.to_string())
            .with(header::EPOCH, &epoch.to_string())
    }
}

/// Reads a record.
///
/// # Errors
/// When no relay wrote it.
pub fn parse(message: &impl Message) -> Result<Record, Malformed> {
    // A header whose name is not UTF-8 makes the client library panic; to us it is one more foreign record.
    let read = catch_unwind(AssertUnwindSafe(|| record(message)));
    read.unwrap_or_else(|_| Err("a header's name is not UTF-8".to_owned())).map_err(|why| Malformed {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        why,
    })
}

fn record(message: &impl Message) -> Result<Record, String> {
    let headers = message.headers().ok_or("it has no headers")?;
    let fields = Fields(headers.iter().map(|header| (header.key, header.value)).collect());
    if fields.needed(header::SPEC_VERSION)? != SPEC_VERSION {
        return Err(format!("{} is not {SPEC_VERSION}", header::SPEC_VERSION));
    }
    let (position, prev) = (fields.position(header::POSITION)?, fields.position(header::PREV_POSITION)?);
    let epoch = fields.parsed(header::EPOCH)?;
    match fields.needed(header::TYPE)? {
        WATERMARK_TYPE if prev > position => Err("the event before it has a higher position".to_owned()),
        WATERMARK_TYPE => Ok(Record::Watermark(Watermark { position, prev, epoch })),
        _ if prev >= position => Err("the event before it has no lower position".to_owned()),
        _ => Ok(Record::Event(Envelope { raw: raw(message, &fields, position)?, prev, epoch })),
    }
}

fn raw(message: &impl Message, fields: &Fields<'_>, position: Position) -> Result<Raw, String> {
    let subject = fields.needed(header::SUBJECT)?;
    if message.key() != Some(subject.as_bytes()) {
        return Err(format!("its key is not its {}", header::SUBJECT));
    }
    let type_name = fields.needed(header::TYPE)?.strip_prefix(TYPE_PREFIX);
    let time = DateTime::parse_from_rfc3339(fields.needed(header::TIME)?);
    let value = message.payload().and_then(|value| std::str::from_utf8(value).ok());
    let sealed = fields.found(header::SEALED)?.map(|text| BASE64.decode(text)).transpose();
    Ok(Raw {
        position,
        event_id: fields.parsed(header::ID)?,
        stream: StreamId::parse(subject).ok_or_else(|| wrong(header::SUBJECT))?,
        version: fields.parsed(header::STREAM_VERSION)?,
        type_name: type_name.ok_or_else(|| wrong(header::TYPE))?.to_owned(),
        schema_version: fields.parsed(header::SCHEMA_VERSION)?,
        recorded_at: time.map_err(|_| wrong(header::TIME))?.with_timezone(&Utc),
        command_id: fields.parsed(header::COMMAND_ID)?,
        metadata: metadata(fields)?,
        data: value
            .and_then(|value| RawValue::from_string(value.to_owned()).ok())
            .ok_or("its value is not JSON")?,
        subject: fields.found_parsed(header::SEALED_FOR)?.map(SubjectId),
        sealed: sealed.map_err(|_| wrong(header::SEALED))?,
    })
}

fn metadata(fields: &Fields<'_>) -> Result<Metadata, String> {
    let actor: Actor =
        serde_json::from_str(fields.needed(header::ACTOR)?).map_err(|_| wrong(header::ACTOR))?;
    Ok(Metadata {
        correlation_id: fields.parsed(header::CORRELATION_ID)?,
        causation_id: fields.found_parsed(header::CAUSATION_ID)?,
        actor,
        traceparent: fields.found(header::TRACEPARENT)?.map(str::to_owned),
    })
}

fn wrong(name: &str) -> String {
    format!("{name} is wrong")
}

/// A record's headers.
struct Fields<'a>(Vec<(&'a str, Option<&'a [u8]>)>);

impl<'a> Fields<'a> {
    fn found(&self, name: &str) -> Result<Option<&'a str>, String> {
        let value = self.0.iter().find(|(found, _)| *found == name).and_then(|(_, value)| *value);
        value.map(std::str::from_utf8).transpose().map_err(|_| wrong(name))
    }

    fn needed(&self, name: &str) -> Result<&'a str, String> {
        self.found(name)?.ok_or_else(|| format!("it has no {name}"))
    }

    fn found_parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        self.found(name)?.map(|text| text.parse().map_err(|_| wrong(name))).transpose()
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Result<T, String> {
        self.needed(name)?.parse().map_err(|_| wrong(name))
    }

    fn position(&self, name: &str) -> Result<Position, String> {
        let position: u64 = self.parsed(name)?;
        // The database counts in signed numbers.
        i64::try_from(position).map(|_| Position(position)).map_err(|_| wrong(name))
    }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
