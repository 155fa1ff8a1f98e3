//! States in memory: those of many streams between batches, those of a batch while it is decided.

use std::collections::HashMap;

use domain::{Event, State, States, StreamId};
use event_store::{Batch, Loaded, Position, Proposed};
use hashlink::LruCache;

/// How names of streams and keys of commands are hashed: several times each, in the loop that all wait for. Seeded anew in each process,
/// since buyers choose some of them.
pub(super) type Hashing = foldhash::fast::RandomState;

/// A stream that has grown much, with its version and the state it has there.
pub(super) type Grown = (StreamId, u32, State);

/// The state of a stream at a version.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) state: State,
    pub(super) version: u32,
    /// The version when it was last seen whether it has grown much.
    pub(super) before: u32,
    /// It was so when the log ended there.
    pub(super) verified: Position,
    /// It is taken to be empty, and nobody has looked. What is decided on it counts only if it begins the stream: then the log itself
    /// finds out.
    pub(super) presumed: bool,
}

impl Entry {
    pub(super) fn evolve(&mut self, event: &Event) {
        let state = std::mem::replace(&mut self.state, State::Email(Default::default()));
        self.state = state.evolve(event);
        self.version += 1;
        self.presumed = false;
    }
}

/// States between batches. Bounded: what was not used for longest goes first.
///
/// A batch takes a state out and owns it, so that nothing is ever cloned to be changed.
#[derive(Debug)]
pub(super) struct Memory(LruCache<StreamId, Entry, Hashing>);

impl Memory {
    pub(super) fn new(states_max: usize) -> Self {
        Self(LruCache::with_hasher(states_max, Hashing::default()))
    }

    pub(super) fn take(&mut self, stream: &StreamId) -> Option<Entry> {
        self.0.remove(stream)
    }

    pub(super) fn keep(&mut self, stream: StreamId, entry: Entry) {
        self.0.insert(stream, entry);
    }

    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}

/// The states that a batch works on.
#[derive(Debug, Default)]
pub(super) struct Desk(HashMap<StreamId, Entry, Hashing>);

impl States for Desk {
    fn get(&self, stream: &StreamId) -> Option<&State> {
        self.0.get(stream).map(|entry| &entry.state)
    }
}

impl Desk {
    pub(super) fn has(&self, stream: &StreamId) -> bool {
        self.0.contains_key(stream)
    }

    pub(super) fn state(&self, stream: &StreamId) -> Option<(&State, u32)> {
        self.0.get(stream).map(|entry| (&entry.state, entry.version))
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

    /// Puts a loaded stream on the desk, which was loaded after what was known of it.
    pub(super) fn load(&mut self, loaded: Loaded, known: Option<(State, u32)>, verified: Position) {
        let snapshot = loaded.snapshot.map(|(version, state)| (state, version));
        let (state, version) =
            snapshot.or(known).unwrap_or_else(|| (State::initial(loaded.stream.category()), 0));
        let mut entry = Entry { state, version, before: 0, verified, presumed: false };
        loaded.events.iter().for_each(|event| entry.evolve(&event.event));
        entry.before = entry.version;
        self.0.insert(loaded.stream, entry);
    }

    /// Takes a stream to be empty.
    pub(super) fn presume(&mut self, stream: StreamId, verified: Position) {
        let state = State::initial(stream.category());
        self.0.insert(stream, Entry { state, version: 0, before: 0, verified, presumed: true });
    }

    /// Whether nobody has looked at a stream, and nothing has begun it here.
    pub(super) fn is_presumed(&self, stream: &StreamId) -> bool {
        self.0.get(stream).is_some_and(|entry| entry.presumed)
    }

    /// The place that the least recently verified state on the desk was verified at.
    pub(super) fn verified(&self) -> Position {
        self.0.values().map(|entry| entry.verified).min().unwrap_or_default()
    }

    /// The streams of a batch that are still on the desk are so where the log ends there.
    pub(super) fn verify(&mut self, batch: &Batch, at: Position) {
        for (stream, _) in batch.commands.iter().flat_map(|command| &command.reads) {
            if let Some(entry) = self.0.get_mut(stream) {
                entry.verified = at;
            }
        }
    }

    /// The streams that have come past a multiple of `every` events since this was last asked, as they are now. Also those that never
    /// leave the desk, because each batch changes them.
    pub(super) fn grown(&mut self, every: u32) -> Vec<Grown> {
        let mut grown = Vec::new();
        for (stream, entry) in &mut self.0 {
            if entry.version / every > entry.before / every {
                grown.push((stream.clone(), entry.version, entry.state.clone()));
            }
            entry.before = entry.version;
        }
        grown
    }

    /// Takes everything off the desk but what these commands look at. What was only presumed is nothing to keep.
    pub(super) fn drain_but<'a>(
        &mut self,
        needed: impl IntoIterator<Item = &'a Proposed>,
    ) -> Vec<(StreamId, Entry)> {
        let mut rest = HashMap::default();
        for (stream, _) in needed.into_iter().flat_map(|command| &command.reads) {
            if let Some((stream, entry)) = self.0.remove_entry(stream) {
                rest.insert(stream, entry);
            }
        }
        let done = std::mem::replace(&mut self.0, rest).into_iter();
        done.filter(|(_, entry)| !entry.presumed).collect()
    }

    /// Nothing on it is so.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
