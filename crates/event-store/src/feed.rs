//! Following the log.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::tail::position_of;
use crate::{Error, EventStore, Position, Received, Stretch};

/// How long a reader waits before it looks whether another process has appended.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// The highest position that this process knows of.
#[derive(Debug, Clone)]
pub struct Wake(Arc<watch::Sender<Position>>);

impl Default for Wake {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Position(0))))
    }
}

impl Wake {
    /// There is more, up to there.
    pub fn appended(&self, position: Position) {
        self.0.send_if_modified(|known| {
            let more = position > *known;
            *known = position.max(*known);
            more
        });
    }

    /// The highest position known here.
    pub fn known(&self) -> Position {
        *self.0.borrow()
    }

    /// Waits until more than `after` is known here, or for that long.
    pub async fn beyond(&self, after: Position, at_most: Duration) {
        let mut known = self.0.subscribe();
        // Either way the reader looks for itself.
        let _ = tokio::time::timeout(at_most, known.wait_for(|position| *position > after)).await;
    }
}

/// The log from a position on.
#[derive(Debug)]
pub struct LogFeed {
    store: EventStore,
    after: Position,
    pace: Pace,
}

impl EventStore {
    /// The log after a position.
    pub fn feed(&self, after: Position) -> LogFeed {
        LogFeed { store: self.clone(), after, pace: Pace::default() }
    }
}

impl LogFeed {
    /// How far it has come.
    pub fn position(&self) -> Position {
        self.after
    }

    /// The next events, at least one, each for itself; waits until there is one. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn next(&mut self, limit: u32) -> Result<Vec<Received>, Error> {
        let stretch = self.pace.next(&self.store, self.after).await?;
        let events: Vec<_> = stretch.events_after(self.after).iter().take(limit as usize).cloned().collect();
        self.after = events.last().map_or(self.after, position_of);
        Ok(events)
    }
}

/// When a follower looks at the log again.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// What came last had been announced in this process. Then whatever comes next most likely is as well, and looking for it before is
    /// in vain.
    announced: bool,
}

impl Pace {
    /// The next events after a position; waits until there is one.
    pub(crate) async fn next(&mut self, store: &EventStore, after: Position) -> Result<Arc<Stretch>, Error> {
        loop {
            if std::mem::take(&mut self.announced) && store.wake.known() <= after {
                store.wake.beyond(after, POLL).await;
            }
            // What was announced and is not there was lost in a failover: nobody is to be woken by it.
            let known = store.wake.known();
            if let Some(stretch) = store.stretch_after(after).await? {
                self.announced = known >= stretch.through();
                return Ok(stretch);
            }
            store.wake.beyond(known.max(after), POLL).await;
        }
    }
}
