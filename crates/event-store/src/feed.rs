//! Following the log.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::{Error, EventStore, Filter, Position, Recorded};

/// How long a reader waits before it looks whether another process has appended.
const POLL: Duration = Duration::from_millis(50);

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
pub struct Feed {
    store: EventStore,
    after: Position,
}

impl EventStore {
    /// The log after a position.
    pub fn feed(&self, after: Position) -> Feed {
        Feed { store: self.clone(), after }
    }
}

impl Feed {
    /// How far it has come.
    pub fn position(&self) -> Position {
        self.after
    }

    /// The next events, at least one; waits until there is one. Dropping the future loses nothing.
    pub async fn next(&mut self, limit: u32) -> Result<Vec<Recorded>, Error> {
        loop {
            let events = self.store.read(self.after, limit, &Filter::default()).await?;
            if let Some(last) = events.last() {
                self.after = last.position;
                self.store.wake.appended(last.position);
                return Ok(events);
            }
            self.store.wake.beyond(self.after, POLL).await;
        }
    }
}
