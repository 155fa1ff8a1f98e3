//! Snapshots, written beside the reply path: a stream that has grown much is kept as it is now, to load it faster.

use domain::{State, StreamId};
use event_store::EventStore;
use tokio::sync::mpsc;

/// Snapshots that may wait. More are left out: the next growth brings the next one.
const WAITING_MAX: usize = 64;

/// A writer of snapshots.
#[derive(Debug, Clone)]
pub(super) struct Snapshots(mpsc::Sender<(StreamId, u32, State)>);

impl Snapshots {
    pub(super) fn start(store: EventStore) -> Self {
        let (sender, mut waiting) = mpsc::channel::<(StreamId, u32, State)>(WAITING_MAX);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, WAITING_MAX).await > 0 {
                let mut newest: Vec<(StreamId, u32, State)> = Vec::new();
                for snapshot in batch.drain(..).rev() {
                    if !newest.iter().any(|(stream, ..)| *stream == snapshot.0) {
                        newest.push(snapshot);
                    }
                }
                if let Err(error) = store.save_snapshots(&newest).await {
                    tracing::warn!(%error, "snapshots could not be kept; streams load slower until the next ones are");
                }
            }
        });
        Self(sender)
    }

    pub(super) fn keep(&self, stream: &StreamId, version: u32, state: &State) {
        if let Ok(place) = self.0.try_reserve() {
            place.send((stream.clone(), version, state.clone()));
        }
    }
}
