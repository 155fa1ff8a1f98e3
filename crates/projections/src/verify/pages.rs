//! The log page by page, past what cannot be read in it.

use event_store::{EventStore, Filter, Position, Raw, Recorded};

use crate::Error;

/// Events read at once.
pub(super) const PAGE: u32 = 500;

/// Some of the log.
pub(super) enum Page {
    /// Events, at least one.
    Events(Vec<Recorded>),
    /// One event that cannot be read, and why; its frame can mostly be read all the same.
    Unreadable(Position, Option<Box<Raw>>, Error),
}

/// The log after one position, up to another.
pub(super) struct Pages<'a> {
    store: &'a EventStore,
    after: Position,
    until: Position,
    limit: u32,
}

impl<'a> Pages<'a> {
    pub(super) fn new(store: &'a EventStore, after: Position, until: Position) -> Self {
        Self { store, after, until, limit: PAGE }
    }

    /// The next page. `None`: that was all.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, Error> {
        while self.after < self.until {
            let mut events = match self.store.read(self.after, self.limit, &Filter::default()).await {
                Ok(events) => events,
                Err(error) => {
                    let error = Error::from(error);
                    if error.is_outage() {
                        return Err(error);
                    }
                    if self.limit == 1 {
                        return Ok(Some(self.skip(error).await));
                    }
                    // One of these cannot be read; the others can.
                    self.limit = 1;
                    continue;
                }
            };
            events.retain(|event| event.position <= self.until);
            let Some(last) = events.last() else { return Ok(None) };
            self.after = last.position;
            return Ok(Some(Page::Events(events)));
        }
        Ok(None)
    }

    async fn skip(&mut self, error: Error) -> Page {
        let raw = self.store.read_raw(self.after, 1, &Filter::default()).await;
        let raw = raw.ok().and_then(|mut raw| raw.pop()).map(Box::new);
        self.after = raw.as_ref().map_or(Position(self.after.0 + 1), |raw| raw.position);
        self.limit = PAGE;
        Page::Unreadable(self.after, raw, error)
    }
}
