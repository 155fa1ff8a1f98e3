//! Rows of the log as COPY sends them, read where they lie: nothing is allocated for a row.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The columns of [`Stored`], in its order.
pub(super) const COLUMNS: &str = "position, event_id, stream, version, type, schema_version, recorded_at, command_id, metadata, data, \
     subject, sealed";
/// How many those are.
const COUNT: i16 = 12;
/// What binary COPY begins with; flags and the length of an extension follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// PostgreSQL counts microseconds from 2000-01-01.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// An event as it is stored; what is sealed stays sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<'a> {
    pub(super) position: i64,
    pub(super) event_id: Uuid,
    pub(super) stream: &'a str,
    pub(super) version: i32,
    pub(super) type_name: &'a str,
    pub(super) schema_version: i16,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) command_id: Uuid,
    pub(super) metadata: &'a str,
    pub(super) data: &'a str,
    pub(super) subject: Option<Uuid>,
    pub(super) sealed: Option<&'a [u8]>,
}

impl<'a> Stored<'a> {
    /// The name of its stream.
    pub fn stream(&self) -> &'a str {
        self.stream
    }
}

/// What is left to be read.
#[derive(Debug, Clone)]
pub(super) struct Rows<'a>(&'a [u8]);

impl<'a> Rows<'a> {
    /// After the header. `None`: it is none.
    pub(super) fn after_header(bytes: &'a [u8]) -> Option<Self> {
        let mut rows = Self(bytes.strip_prefix(SIGNATURE)?);
        rows.take::<4>()?;
        let extension = u32::from_be_bytes(rows.take()?);
        rows.bytes(extension as usize)?;
        Some(rows)
    }

    /// The next row; `None` after the last one.
    ///
    /// # Errors
    /// [`Malformed`] when it is not one.
    pub(super) fn next(&mut self) -> Result<Option<Stored<'a>>, Malformed> {
        match self.take().map(i16::from_be_bytes) {
            Some(-1) => Ok(None),
            Some(COUNT) => self.row().map(Some).ok_or(Malformed),
            _ => Err(Malformed),
        }
    }

    fn row(&mut self) -> Option<Stored<'a>> {
        Some(Stored {
            position: i64::from_be_bytes(self.fixed()?),
            event_id: Uuid::from_bytes(self.fixed()?),
            stream: self.text()?,
            version: i32::from_be_bytes(self.fixed()?),
            type_name: self.text()?,
            schema_version: i16::from_be_bytes(self.fixed()?),
            recorded_at: time(i64::from_be_bytes(self.fixed()?))?,
            command_id: Uuid::from_bytes(self.fixed()?),
            metadata: self.text()?,
            data: self.text()?,
            subject: match self.field().ok()? {
                Some(bytes) => Some(Uuid::from_slice(bytes).ok()?),
                None => None,
            },
            sealed: self.field().ok()?,
        })
    }

    /// A field of a fixed length that is never null.
    fn fixed<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        self.field().ok()??.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.field().ok()??).ok()
    }

    /// A field, or null.
    fn field(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match i32::from_be_bytes(self.take().ok_or(Malformed)?) {
            -1 => Ok(None),
            length => {
                let length = length.try_into().map_err(|_| Malformed)?;
                self.bytes(length).map(Some).ok_or(Malformed)
            }
        }
    }

    fn take<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        self.bytes(LENGTH)?.try_into().ok()
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

fn time(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros.checked_add(EPOCH_MICROS)?)
}

/// What was sent is not a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(rows: &[u8]) -> Vec<u8> {
        [SIGNATURE, &[0; 8], rows].concat()
    }

    #[test]
    fn nothing_ends_at_once() {
        let bytes = sent(&(-1_i16).to_be_bytes());
        assert_eq!(Rows::after_header(&bytes).unwrap().next(), Ok(None));
    }

    #[test]
    fn what_breaks_off_is_no_end() {
        for rows in [&b""[..], &[0], &[0, 12], &[0, 12, 0, 0, 0, 8, 1], &[0, 11, 0, 0, 0, 0]] {
            let bytes = sent(rows);
            assert_eq!(Rows::after_header(&bytes).unwrap().next(), Err(Malformed), "{rows:?}");
        }
        assert!(Rows::after_header(b"PGCOPY").is_none());
    }
}
