//! Streams that another node appends to as well.
//!
//! What a batch was decided on is gone when the log has refused it: a state cannot take back its last events. So of streams where that
//! happens, the state that the log has confirmed is kept beside, and only what the other node has added is loaded, not all that came
//! after the last snapshot. This is done only there: it takes a second state, and each event twice.

use std::collections::HashMap;

use domain::{State, StreamId};
use event_store::{Appended, Batch, Outcome, Wanted};
use tokio::time::{Duration, Instant};

use super::memory::Hashing;

/// After so long without a refusal a stream is this node's alone again.
const CALM: Duration = Duration::from_secs(1);
/// Streams that are looked after in this way, at most: hot ones are few.
const STREAMS_MAX: usize = 64;

/// A stream as the log has confirmed it.
#[derive(Debug)]
struct Contested {
    /// With its version. `None`: to be loaded.
    confirmed: Option<(State, u32)>,
    /// When the log last refused something that had looked at it.
    refused: Instant,
}

/// The streams that are contested now.
#[derive(Debug, Default)]
pub(super) struct ContestedStreams(HashMap<StreamId, Contested, Hashing>);

impl ContestedStreams {
    /// Takes note of what the log has refused of a batch, and of what it has confirmed.
    pub(super) fn learn(&mut self, batch: &Batch, appended: &Appended) {
        let mut moved: HashMap<&StreamId, usize, Hashing> = HashMap::default();
        for (command, outcome) in batch.commands.iter().zip(&appended.outcomes) {
            match outcome {
                Outcome::Moved => {
                    command.reads.iter().for_each(|(stream, _)| *moved.entry(stream).or_default() += 1)
                }
                Outcome::Appended { .. } if !self.0.is_empty() => {
                    for (stream, version, event) in &command.events {
                        let Some(Contested { confirmed, .. }) = self.0.get_mut(stream) else { continue };
                        *confirmed = confirmed.take().and_then(|(state, before)| {
                            (before + 1 == *version).then(|| (state.evolve(event), *version))
                        });
                    }
                }
                Outcome::Appended { .. } | Outcome::Unchanged { .. } | Outcome::Seen(_) => {}
            }
        }
        let now = Instant::now();
        // Of what one command alone has looked at, the order beside the item, the next command is another one's.
        for (stream, _) in moved.into_iter().filter(|(_, commands)| *commands > 1) {
            if let Some(contested) = self.0.get_mut(stream) {
                contested.refused = now;
            } else if self.0.len() < STREAMS_MAX {
                self.0.insert(stream.clone(), Contested { confirmed: None, refused: now });
            }
        }
        self.0.retain(|_, contested| now.duration_since(contested.refused) < CALM);
    }

    /// What must be loaded of a stream.
    pub(super) fn wanted(&self, stream: StreamId) -> Wanted {
        let confirmed = self.0.get(&stream).and_then(|contested| contested.confirmed.as_ref());
        Wanted { after_version: confirmed.map_or(0, |(_, version)| *version), stream }
    }

    /// What a stream was when the log last confirmed it, with its version.
    pub(super) fn confirmed(&self, stream: &StreamId) -> Option<(State, u32)> {
        self.0.get(stream)?.confirmed.clone()
    }

    /// A stream was loaded: the log has it so.
    pub(super) fn loaded(&mut self, stream: &StreamId, state: &State, version: u32) {
        if let Some(contested) = self.0.get_mut(stream) {
            contested.confirmed = Some((state.clone(), version));
        }
    }

    /// The log is another one.
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}
