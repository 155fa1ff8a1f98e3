//! Rows in the binary format of COPY: the cheapest way of writing many that are not there yet.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{Error, PgConnection};
use uuid::Uuid;

/// What binary COPY begins with: its signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// PostgreSQL counts microseconds from 2000-01-01.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// The only version of the binary form of `jsonb`.
const JSONB: u8 = 1;

/// Rows that are to be written: each begun with [`Self::row`], then column by column.
#[derive(Debug)]
pub(crate) struct Rows {
    bytes: Vec<u8>,
}

impl Rows {
    pub(crate) fn new() -> Self {
        Self { bytes: HEADER.to_vec() }
    }

    /// The next row has so many columns.
    pub(crate) fn row(&mut self, columns: i16) -> &mut Self {
        self.bytes.extend_from_slice(&columns.to_be_bytes());
        self
    }

    pub(crate) fn uuid(&mut self, value: Uuid) -> &mut Self {
        self.field(value.as_bytes())
    }

    pub(crate) fn int(&mut self, value: i32) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn bigint(&mut self, value: i64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.field(value.as_bytes())
    }

    pub(crate) fn time(&mut self, value: DateTime<Utc>) -> &mut Self {
        self.bigint(value.timestamp_micros() - EPOCH_MICROS)
    }

    pub(crate) fn null(&mut self) -> &mut Self {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        self
    }

    /// A `jsonb`.
    ///
    /// # Errors
    /// When it cannot be written as JSON; a defect.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<&mut Self, Error> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0, 0, 0, 0, JSONB]);
        serde_json::to_writer(&mut self.bytes, value).map_err(|error| Error::Encode(error.into()))?;
        let length = length(self.bytes.len() - at - 4);
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(self)
    }

    /// A `jsonb`, or null.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub(crate) fn json_or_null(&mut self, value: Option<&impl Serialize>) -> Result<&mut Self, Error> {
        match value {
            Some(value) => self.json(value),
            None => Ok(self.null()),
        }
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(&length(bytes.len()).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Writes them into these columns: `orders (order_id, version)`.
    ///
    /// # Errors
    /// When the database is away, or one of them does not fit.
    pub(crate) async fn copy_into(self, connection: &mut PgConnection, columns: &str) -> Result<(), Error> {
        let mut copy = connection.copy_in_raw(&format!("COPY {columns} FROM STDIN (FORMAT binary)")).await?;
        let mut bytes = self.bytes;
        bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        // Dropped when it fails, it says by itself that there is no more.
        copy.send(bytes).await?;
        copy.finish().await.map(drop)
    }
}

/// A length as it stands before a field; PostgreSQL takes none that is longer.
fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
