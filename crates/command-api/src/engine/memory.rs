//! States in memory: those of many streams between batches, those of a batch while it is decided.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Event, State, States, StreamId};
use event_store::{Loaded, Position, Wanted};

/// The state of a stream at a version.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) state: State,
    pub(super) version: u32,
    /// The version before the batch that changes it.
    pub(super) before: u32,
    /// It was so when the log ended there.
    pub(super) verified: Position,
}

impl Entry {
    pub(super) fn evolve(&mut self, event: &Event) {
        let state = std::mem::replace(&mut self.state, State::Email(Default::default()));
        self.state = state.evolve(event);
        self.version += 1;
    }
}

/// States between batches. Bounded: what was not used for longest goes first.
///
/// A batch takes a state out and owns it, so that nothing is ever cloned to be changed; the cell is what the cache may keep
/// a moment longer.
#[derive(Debug)]
pub(super) struct Memory(moka::sync::Cache<StreamId, Arc<Mutex<Option<Entry>>>>);

impl Memory {
    pub(super) fn new(states_max: u64) -> Self {
        Self(moka::sync::Cache::new(states_max))
    }

    pub(super) fn take(&self, stream: &StreamId) -> Option<Entry> {
        let cell = self.0.get(stream)?;
        cell.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn keep(&self, stream: StreamId, mut entry: Entry) {
        entry.before = entry.version;
        self.0.insert(stream, Arc::new(Mutex::new(Some(entry))));
    }

    pub(super) fn forget_all(&self) {
        self.0.invalidate_all();
    }
}

/// The states that a batch works on.
#[derive(Debug, Default)]
pub(super) struct Desk(HashMap<StreamId, Entry>);

impl States for Desk {
    fn get(&self, stream: &StreamId) -> Option<&State> {
        self.0.get(stream).map(|entry| &entry.state)
    }
}

impl Desk {
    pub(super) fn has(&self, stream: &StreamId) -> bool {
        self.0.contains_key(stream)
    }

    pub(super) fn put(&mut self, stream: StreamId, entry: Entry) {
        self.0.insert(stream, entry);
    }

    pub(super) fn version(&self, stream: &StreamId) -> u32 {
        self.0.get(stream).map_or(0, |entry| entry.version)
    }

    pub(super) fn entry(&mut self, stream: &StreamId) -> Option<&mut Entry> {
        self.0.get_mut(stream)
    }

    pub(super) fn remove(&mut self, stream: &StreamId) {
        self.0.remove(stream);
    }

    /// Puts a loaded stream on the desk.
    pub(super) fn load(&mut self, loaded: Loaded, verified: Position) {
        let (version, state) =
            loaded.snapshot.unwrap_or_else(|| (0, State::initial(loaded.stream.category())));
        let mut entry = Entry { state, version, before: 0, verified };
        loaded.events.iter().for_each(|event| entry.evolve(&event.event));
        entry.before = entry.version;
        self.0.insert(loaded.stream, entry);
    }

    /// The place that the least recently verified state on the desk was verified at.
    pub(super) fn verified(&self) -> Position {
        self.0.values().map(|entry| entry.verified).min().unwrap_or_default()
    }

    /// A stream that is still on the desk is so where the log ends there.
    pub(super) fn verify(&mut self, stream: &StreamId, at: Position) {
        if let Some(entry) = self.0.get_mut(stream) {
            entry.verified = at;
        }
    }

    pub(super) fn drain(self) -> impl Iterator<Item = (StreamId, Entry)> {
        self.0.into_iter()
    }
}

/// What must be loaded of a stream that nothing is known of.
pub(super) fn wanted(stream: StreamId) -> Wanted {
    Wanted { stream, after_version: 0 }
}
