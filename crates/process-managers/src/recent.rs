//! What the feed has shown a moment ago: a step that follows from it at once need not load its stream.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use domain::{Category, StreamId};
use event_store::{Loaded, Recorded};

/// Streams that are remembered, at most.
const STREAMS_MAX: u64 = 4_096;
/// How long.
const REMEMBERED: Duration = Duration::from_secs(10);
/// What happened longer ago is loaded: the stream may have moved on while nobody took in.
const RECENT: chrono::Duration = chrono::Duration::seconds(1);

/// Orders and payments that have begun a moment ago, whole.
pub(crate) struct Recent(moka::sync::Cache<StreamId, Arc<Vec<Recorded>>>);

impl Default for Recent {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(STREAMS_MAX).time_to_live(REMEMBERED).build())
    }
}

impl Recent {
    /// Remembers an event of the feed.
    pub(crate) fn note(&self, recorded: &Recorded) {
        if !matches!(recorded.stream.category(), Category::Order | Category::Payment) {
            return;
        }
        let before = self.0.get(&recorded.stream);
        let events = match before {
            _ if recorded.version == 1 => vec![recorded.clone()],
            Some(before) if before.last().is_some_and(|last| last.version + 1 == recorded.version) => {
                before.iter().chain([recorded]).cloned().collect()
            }
            // Come again, or begun before anybody looked.
            Some(_) => return self.0.invalidate(&recorded.stream),
            None => return,
        };
        self.0.insert(recorded.stream.clone(), Arc::new(events));
    }

    /// The stream as the feed has it, when all of it is there and its end is as recent as can be.
    pub(crate) fn loaded(&self, stream: &StreamId) -> Option<Loaded> {
        let events = self.0.get(stream)?;
        let last = events.last()?;
        if (Utc::now() - last.recorded_at).abs() > RECENT {
            return None;
        }
        let (stream, version) = (stream.clone(), last.version);
        Some(Loaded { stream, snapshot: None, events: events.to_vec(), version })
    }
}
