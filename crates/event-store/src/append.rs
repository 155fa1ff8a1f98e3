//! Appending: one batch, one call, one commit.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Event, StreamId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::columns::Columns;
use crate::{CommandKey, Error, EventStore, Head, Metadata, Position};

/// What to append.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Where this node thinks the log ends: when it is right, nothing that it looked at can have changed.
    pub known: Head,
    /// Which node asks, so that none of several starves.
    pub node: Uuid,
    /// In order; later ones may build on events of earlier ones.
    pub commands: Vec<Proposed>,
}

/// A decided command.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// Its id.
    pub key: CommandKey,
    /// A hash of what was asked, so that one key cannot stand for two things.
    pub fingerprint: [u8; 32],
    /// Why its events come to be.
    pub metadata: Metadata,
    /// The answer to give whenever the same command comes again. JSON.
    pub answer: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it is written down. `false`: a refusal, which is only verified.
    pub record: bool,
    /// Its events, each with its version in its stream.
    pub events: Vec<(StreamId, u32, Event)>,
    /// Every stream that was looked at, with the version that was seen (events of earlier commands of the batch included).
    pub reads: Vec<(StreamId, u32)>,
}

/// What came of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Where the log ended then.
    pub head: Head,
    /// One outcome per command, in order.
    pub outcomes: Vec<Outcome>,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log.
    Appended {
        /// Its first event.
        first: Position,
        /// Its last event.
        last: Position,
    },
    /// It has no events, and what it looked at was so.
    Unchanged {
        /// As of there.
        at: Position,
    },
    /// It had been done before.
    Seen(Seen),
    /// A stream is not at the version that it saw: decide again.
    Moved,
}

/// A command that had been done before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What was asked then.
    pub fingerprint: Vec<u8>,
    /// What was answered. JSON.
    pub answer: String,
    /// Its last event, when it had any.
    pub last: Option<Position>,
}

#[derive(Debug, FromRow)]
struct Answer {
    ordinal: i32,
    outcome: String,
    epoch: Uuid,
    head: Option<i64>,
    first_position: Option<i64>,
    last_position: Option<i64>,
    fingerprint: Option<Vec<u8>>,
    answer: Option<String>,
}

const APPEND: &str = "SELECT * FROM log.append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
    $18, $19, $20, $21, $22, $23, $24, $25)";

/// How long to wait before asking again when another node goes first.
const YIELD: Duration = Duration::from_millis(1);

impl EventStore {
    /// Appends a batch with one autocommit call, and answers per command.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it may have been appended or not; send the same commands again.
    /// [`Error::EpochMoved`]: nothing was appended; look at the head.
    pub async fn append(&self, batch: &Batch) -> Result<Appended, Error> {
        let columns = self.columns(batch).await?;
        loop {
            let answers = self.call(batch, &columns).await?;
            let Some(whole) = answers.iter().find(|answer| answer.ordinal == 0) else {
                return Err(Error::Corrupt("log.append_batch did not answer".to_owned()));
            };
            let head = Head { epoch: whole.epoch, position: whole.head.unwrap_or(0).into() };
            let outcomes = match whole.outcome.as_str() {
                "yield" => {
                    tokio::time::sleep(YIELD).await;
                    continue;
                }
                "epoch" => return Err(Error::EpochMoved),
                "appended" => all_appended(batch, whole.first_position.unwrap_or(0)),
                _ => each(batch, &answers)?,
            };
            self.wake.appended(head.position);
            return Ok(Appended { head, outcomes });
        }
    }

    async fn call(&self, batch: &Batch, columns: &Columns) -> Result<Vec<Answer>, sqlx::Error> {
        sqlx::query_as(APPEND)
            .bind(batch.known.epoch)
            .bind(i64::from(batch.known.position))
            .bind(batch.node)
            .bind(&columns.scopes)
            .bind(&columns.ids)
            .bind(&columns.fingerprints)
            .bind(&columns.answers)
            .bind(&columns.records)
            .bind(&columns.times)
            .bind(&columns.metadata)
            .bind(&columns.commands)
            .bind(&columns.streams)
            .bind(&columns.versions)
            .bind(&columns.types)
            .bind(&columns.schemas)
            .bind(&columns.event_ids)
            .bind(&columns.data)
            .bind(&columns.subjects)
            .bind(&columns.sealed)
            .bind(&columns.read_commands)
            .bind(&columns.read_streams)
            .bind(&columns.read_versions)
            .bind(&columns.read_after)
            .bind(&columns.before_streams)
            .bind(&columns.before_versions)
            .fetch_all(&self.pool)
            .await
    }
}

fn all_appended(batch: &Batch, first: i64) -> Vec<Outcome> {
    let mut next = Position::from(first);
    batch
        .commands
        .iter()
        .map(|command| {
            let count = command.events.len() as u64;
            if count == 0 {
                return Outcome::Unchanged { at: Position(next.0.saturating_sub(1)) };
            }
            let first = next;
            next.0 += count;
            Outcome::Appended { first, last: Position(next.0 - 1) }
        })
        .collect()
}

fn each(batch: &Batch, answers: &[Answer]) -> Result<Vec<Outcome>, Error> {
    let mut outcomes = vec![None; batch.commands.len()];
    for answer in answers.iter().filter(|answer| answer.ordinal > 0) {
        let last = answer.last_position.map(Position::from);
        let outcome = match (answer.outcome.as_str(), answer.first_position, last) {
            ("appended", Some(first), Some(last)) => Outcome::Appended { first: first.into(), last },
            ("unchanged", _, Some(at)) => Outcome::Unchanged { at },
            ("seen", _, last) => Outcome::Seen(Seen {
                fingerprint: answer.fingerprint.clone().unwrap_or_default(),
                answer: answer.answer.clone().unwrap_or_default(),
                last,
            }),
            ("moved", ..) => Outcome::Moved,
            (other, ..) => return Err(Error::Corrupt(format!("log.append_batch answered {other:?}"))),
        };
        if let Some(place) = outcomes.get_mut(answer.ordinal.unsigned_abs() as usize - 1) {
            *place = Some(outcome);
        }
    }
    let missing = || Error::Corrupt("log.append_batch did not answer for every command".to_owned());
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(missing)).collect()
}
