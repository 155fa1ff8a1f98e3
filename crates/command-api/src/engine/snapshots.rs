//! Snapshots, written beside the reply path: a stream that has grown much is kept as it is now, to load it faster.

use domain::{State, StreamId};
use event_store::EventStore;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::memory::Grown;

/// Snapshots that may wait. More are left out: the next growth brings the next one.
const WAITING_MAX: usize = 64;

/// A writer of snapshots.
#[derive(Debug, Clone)]
pub(super) struct Snapshots(mpsc::Sender<(Uuid, StreamId, u32, State)>);

impl Snapshots {
    pub(super) fn start(store: EventStore) -> Self {
        let (sender, mut waiting) = mpsc::channel::<(Uuid, StreamId, u32, State)>(WAITING_MAX);
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, WAITING_MAX).await > 0 {
                let mut newest: Vec<Grown> = Vec::new();
                let Some(log) = batch.last().map(|(log, ..)| *log) else { continue };
                for (of, stream, version, state) in batch.drain(..).rev() {
                    if of == log && !newest.iter().any(|(known, ..)| *known == stream) {
                        newest.push((stream, version, state));
                    }
                }
                if let Err(error) = store.save_snapshots(log, &newest).await {
                    tracing::warn!(%error, "snapshots could not be kept; streams load slower until the next ones are");
                }
            }
        });
        Self(sender)
    }

    /// Keeps states of streams of the log with that epoch.
    pub(super) fn keep(&self, epoch: Uuid, grown: impl IntoIterator<Item = Grown>) {
        for (stream, version, state) in grown {
            if let Ok(place) = self.0.try_reserve() {
                place.send((epoch, stream, version, state));
            }
        }
    }
}
