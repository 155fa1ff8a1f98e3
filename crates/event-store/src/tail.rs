//! The end of the log, read and decoded once for all who follow it in this process.
//!
//! Whoever is woken by an append wants the same events as everybody else: the first one reads them, the others are given what it
//! has read. What was read stays only as long as those who are a little slower may need it; who is further behind reads for themselves.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{FromRow, Row as _};
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use crate::row::{Row, columns};
use crate::{Error, EventStore, Position, Received};

/// Events read at once.
const BATCH: i64 = 500;
/// Stretches that stay in memory.
const STRETCHES_MAX: usize = 16;
/// How long they stay: much shorter than keys of personal data do, which are opened in them.
const FRESH: Duration = Duration::from_millis(500);
/// How long the reading of somebody else is waited for. A connection that leads nowhere must not hold up all.
const PATIENCE: Duration = Duration::from_millis(250);

/// Events that follow upon each other in the log, as somebody in this process has read them.
#[derive(Debug)]
pub struct Stretch {
    /// All of the log after here, up to the last event.
    after: Position,
    /// Of which log they are.
    pub epoch: Uuid,
    read_at: Instant,
    events: Vec<Received>,
}

impl Stretch {
    /// Where its last event is.
    pub fn through(&self) -> Position {
        self.events.last().map_or(self.after, position_of)
    }

    /// Its events after a position.
    pub fn events_after(&self, after: Position) -> &[Received] {
        let from = self.events.partition_point(|event| position_of(event) <= after);
        &self.events[from..]
    }

    fn reaches_beyond(&self, after: Position) -> bool {
        self.after <= after && after < self.through()
    }

    /// What could not be read may have been mended meanwhile.
    fn is_readable(&self) -> bool {
        self.events.iter().all(Result::is_ok)
    }
}

/// What was read last.
#[derive(Debug, Default)]
pub(crate) struct Tail(Mutex<VecDeque<Arc<Stretch>>>);

impl Tail {
    /// Everything is to be read again.
    pub(crate) async fn clear(&self) {
        self.0.lock().await.clear();
    }
}

const AFTER: &str = concat!(
    "SELECT (SELECT h.epoch FROM log.head h) AS epoch, ",
    columns!(),
    " FROM log.events e WHERE e.position > $1 ORDER BY e.position LIMIT $2"
);

impl EventStore {
    /// The next events after a position, each for itself. `None`: there are none yet.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn stretch_after(&self, after: Position) -> Result<Option<Arc<Stretch>>, Error> {
        let Ok(mut kept) = tokio::time::timeout(PATIENCE, self.tail.0.lock()).await else {
            return Ok(self.read_stretch(after).await?.map(Arc::new));
        };
        while kept.front().is_some_and(|oldest| oldest.read_at.elapsed() >= FRESH) {
            kept.pop_front();
        }
        if let Some(found) = kept.iter().find(|stretch| stretch.reaches_beyond(after)) {
            return Ok(Some(Arc::clone(found)));
        }
        if kept.back().is_some_and(|last| last.through() > after) {
            // Too far behind for what is kept: nobody need wait for this reading.
            drop(kept);
            return Ok(self.read_stretch(after).await?.map(Arc::new));
        }
        let Some(stretch) = self.read_stretch(after).await?.map(Arc::new) else { return Ok(None) };
        if kept.back().is_some_and(|last| last.epoch != stretch.epoch) {
            kept.clear();
        }
        if stretch.is_readable() {
            if kept.len() >= STRETCHES_MAX {
                kept.pop_front();
            }
            kept.push_back(Arc::clone(&stretch));
        }
        Ok(Some(stretch))
    }

    /// Reads events with the epoch that the log has for the same statement.
    async fn read_stretch(&self, after: Position) -> Result<Option<Stretch>, Error> {
        let read_at = Instant::now();
        let rows = sqlx::query(AFTER).bind(i64::from(after)).bind(BATCH).fetch_all(&self.pool).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let epoch = first.try_get("epoch")?;
        let raws = rows.iter().map(|row| Row::from_row(row)?.raw()).collect::<Result<_, _>>()?;
        let events = self.open_each(raws).await?;
        let stretch = Stretch { after, epoch, read_at, events };
        self.wake.appended(stretch.through());
        Ok(Some(stretch))
    }
}

pub(crate) fn position_of(received: &Received) -> Position {
    match received {
        Ok(event) => event.position,
        Err(unreadable) => unreadable.position,
    }
}
