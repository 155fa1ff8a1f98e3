//! The log read page by page. One page is all that a stream ever holds in memory, however long the log is.

use std::time::Duration;

use event_store::{EventStore, Position, Raw};
use tokio_util::sync::CancellationToken;

use super::selection::Selection;

/// How long to wait for a wake-up before looking at the log again: another process may have appended.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Reads a selection of the log.
pub(crate) struct Pages {
    store: EventStore,
    selection: Selection,
    size: u32,
}

impl Pages {
    pub(crate) fn new(store: EventStore, selection: Selection, size: u32) -> Self {
        Self { store, selection, size: size.max(1) }
    }

    /// The next page of what is there already. Empty: there is no more up to the log's head at this moment.
    pub(crate) async fn next(&mut self) -> Result<Vec<Raw>, event_store::Error> {
        let limit = u64::from(self.size).min(self.selection.remaining) as u32;
        if limit == 0 {
            return Ok(Vec::new());
        }
        let head = self.store.head().await?.position;
        let mut filter = self.selection.filter.clone();
        let until = filter.until.map_or(head, |until| until.min(head));
        filter.until = Some(until);
        if self.selection.after >= until {
            return Ok(Vec::new());
        }
        let page = self.store.read_raw(self.selection.after, limit, &filter).await?;
        self.selection.remaining -= page.len() as u64;
        // A short page has seen everything up to `until`: what was left out by the filter is not read again.
        let seen = page.last().map_or(until, |last| last.position);
        self.selection.after = if page.len() < limit as usize { until } else { seen };
        Ok(page)
    }

    /// The next page, waiting until there is one. `None`: the selection is exhausted, or the server is stopping.
    pub(crate) async fn follow(
        &mut self,
        shutdown: &CancellationToken,
    ) -> Result<Option<Vec<Raw>>, event_store::Error> {
        loop {
            let page = self.next().await?;
            if !page.is_empty() {
                return Ok(Some(page));
            }
            if self.exhausted() {
                return Ok(None);
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(None),
                () = self.store.wake().beyond(self.selection.after, LOOK_AGAIN) => {}
            }
        }
    }

    fn exhausted(&self) -> bool {
        self.selection.remaining == 0
            || self.selection.filter.until.is_some_and(|until| self.selection.after >= until)
    }

    /// Where it is.
    pub(crate) fn after(&self) -> Position {
        self.selection.after
    }
}
