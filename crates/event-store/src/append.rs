//! Appending: one batch, one call, one commit.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{Event, StreamId};
use uuid::Uuid;

use crate::plain::Plain;
use crate::prepared::{Encoded, Prepared};
use crate::{CommandKey, Error, EventStore, Head, Metadata, Position, each};

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

/// A batch that another one is sent behind: what the log ends with when all of it has been appended. Its first event where the log ended
/// before, its last one where it ends then, and as many between them: so it is all there, and nothing of anybody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Front {
    /// Where the log ends then.
    pub leaves: Head,
    /// Where its first event is, and which it is.
    pub(crate) first: (Position, Uuid),
    /// Its last event.
    pub(crate) last: Uuid,
}

impl Front {
    /// Of a batch whose commands are encoded, each at its place. `None`: it has no events.
    pub fn of(batch: &Batch, encoded: &[Encoded]) -> Option<Self> {
        let mut events = encoded.iter().flat_map(Encoded::events);
        let first = events.next()?;
        let (last, more) = events.fold((first, 0), |(_, count), event| (event, count + 1));
        let first = (Position(batch.known.position.0 + 1), first);
        let leaves = Head { position: Position(first.0.0 + more), ..batch.known };
        Some(Self { leaves, first, last })
    }
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

/// How long to wait before asking again when another node goes first, and the log has waited for it in vain.
const YIELD: Duration = Duration::from_millis(1);

impl EventStore {
    /// Appends a batch with one autocommit statement, and answers per command. A second one follows when something of the batch was
    /// done before, or was decided on what is no longer so, or when another node has appended though nobody had for a while.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: it may have been appended or not; send the same commands again.
    /// [`Error::EpochMoved`]: nothing was appended; look at the head.
    pub async fn append(&self, batch: &Batch) -> Result<Appended, Error> {
        let encoded = batch.commands.iter().map(Proposed::encode).collect::<Result<Vec<_>, _>>()?;
        self.append_encoded(batch, &encoded).await
    }

    /// The same, with the commands encoded already, in order.
    ///
    /// # Errors
    /// Those of [`Self::append`].
    pub async fn append_encoded(&self, batch: &Batch, encoded: &[Encoded]) -> Result<Appended, Error> {
        if encoded.len() != batch.commands.len() {
            return Err(Error::Corrupt("not every command of a batch is encoded".to_owned()));
        }
        if batch.commands.iter().all(|command| !command.record && command.events.is_empty()) {
            return self.answered(batch, &self.verify(batch).await?);
        }
        let prepared = self.prepare(batch, encoded).await?;
        if self.may_be_plain(batch, &prepared) {
            match self.append_plain(batch, &prepared, None).await? {
                Plain::Appended => return Ok(self.whole(batch, expected(batch, &prepared))),
                Plain::NotSo => self.way.found(false),
                Plain::There => {
                    if let Some(appended) = self.one_by_one(batch, &prepared).await? {
                        return Ok(appended);
                    }
                }
            }
        }
        loop {
            let whole = self.append_whole(batch, &prepared).await?;
            if whole.epoch != batch.known.epoch {
                return Err(Error::EpochMoved);
            }
            match whole.outcome.as_str() {
                "appended" => {
                    let head = Head { epoch: whole.epoch, position: whole.head.into() };
                    // Of what was sent without knowing where the log ends, nothing can be said.
                    if batch.known.position.0 != 0 {
                        self.way.found(head == expected(batch, &prepared));
                    }
                    return Ok(self.whole(batch, head));
                }
                "stale" if concerns_all(batch, whole.stale.as_deref().unwrap_or_default()) => {
                    self.way.sent_back();
                    let head = Head { epoch: whole.epoch, position: whole.head.into() };
                    let outcomes = vec![Outcome::Moved; batch.commands.len()];
                    return Ok(Appended { head, outcomes });
                }
                "each" | "stale" => {
                    if let Some(appended) = self.one_by_one(batch, &prepared).await? {
                        return Ok(appended);
                    }
                }
                "yield" => tokio::time::sleep(YIELD).await,
                "epoch" => return Err(Error::EpochMoved),
                other => return Err(Error::Corrupt(format!("the log answered {other:?}"))),
            }
        }
    }

    /// Appends a batch right behind one that is on its way, before that one is answered. `None`: nothing was done; the log does not end with
    /// all of that one, or that cannot be said beforehand.
    ///
    /// # Errors
    /// Whether it may have been appended, or may yet be, says [`Error::may_be_done`].
    pub async fn append_behind(
        &self,
        batch: &Batch,
        encoded: &[Encoded],
        front: Front,
    ) -> Result<Option<Appended>, Error> {
        let prepared = self.prepare(batch, encoded).await?;
        if !self.may_be_plain(batch, &prepared) {
            return Ok(None);
        }
        let plain = self.append_plain(batch, &prepared, Some(front)).await?;
        Ok((plain == Plain::Appended).then(|| self.whole(batch, expected(batch, &prepared))))
    }

    /// Whether nobody else seems to append, so that batches can be sent one behind the other.
    pub fn is_undisturbed(&self) -> bool {
        self.way.is_clear()
    }

    /// All of a batch is in the log, which ends there now.
    fn whole(&self, batch: &Batch, head: Head) -> Appended {
        let events: usize = batch.commands.iter().map(|command| command.events.len()).sum();
        self.wake.appended(head.position);
        Appended { head, outcomes: all_appended(batch, head.position.0 - events as u64 + 1) }
    }

    /// Appends what can be, command by command. `None`: it is another node's turn, and has been for a moment.
    async fn one_by_one(&self, batch: &Batch, prepared: &Prepared<'_>) -> Result<Option<Appended>, Error> {
        let answers = self.append_each(batch, prepared).await?;
        if answers.iter().any(|answer| answer.outcome == "yield") {
            tokio::time::sleep(YIELD).await;
            return Ok(None);
        }
        self.answered(batch, &answers).map(Some)
    }

    fn answered(&self, batch: &Batch, answers: &[each::Answer]) -> Result<Appended, Error> {
        let Some(whole) = answers.iter().find(|answer| answer.ordinal == 0) else {
            return Err(Error::Corrupt("the log did not answer".to_owned()));
        };
        if whole.outcome == "epoch" {
            return Err(Error::EpochMoved);
        }
        let head = Head { epoch: whole.epoch, position: whole.head.unwrap_or(0).into() };
        let outcomes = each::outcomes(batch, answers)?;
        self.wake.appended(head.position);
        Ok(Appended { head, outcomes })
    }
}

/// Where the log ends after a batch, if nobody else has appended.
fn expected(batch: &Batch, prepared: &Prepared<'_>) -> Head {
    Head { position: Position(batch.known.position.0 + prepared.events.len() as u64), ..batch.known }
}

/// Whether every command looked at one of these streams, as they all do where everybody wants the same item: then all of them are to be
/// decided again, in this node's turn, and nobody need look at them one by one.
fn concerns_all(batch: &Batch, stale: &[String]) -> bool {
    let stale: HashSet<&str> = stale.iter().map(String::as_str).collect();
    let looked = |command: &Proposed| command.reads.iter().any(|(stream, _)| stale.contains(stream.as_str()));
    batch.commands.iter().all(looked)
}

fn all_appended(batch: &Batch, first: u64) -> Vec<Outcome> {
    let mut next = first;
    let outcome = |command: &Proposed| {
        let count = command.events.len() as u64;
        if count == 0 {
            return Outcome::Unchanged { at: Position(next.saturating_sub(1)) };
        }
        let first = next;
        next += count;
        Outcome::Appended { first: Position(first), last: Position(next - 1) }
    };
    batch.commands.iter().map(outcome).collect()
}
