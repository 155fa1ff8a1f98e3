//! Reading the log ahead of what is sent.

use std::time::Duration;

use event_store::{EventStore, Filter, Position, Raw};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::Error;

/// Events read at once.
const BATCH: u32 = 1_000;
/// How long to wait before it is looked whether another process has appended.
const POLL: Duration = Duration::from_millis(10);
/// Before a database that is away is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// The next events of the log.
#[derive(Debug)]
pub(crate) struct Batch {
    /// In order, without gaps.
    pub(crate) raws: Vec<Raw>,
    /// There was nothing more when it was read.
    pub(crate) at_head: bool,
}

/// Reads while others work; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Reader {
    batches: mpsc::Receiver<Result<Batch, Error>>,
    _reading: AbortOnDropHandle<()>,
}

impl Reader {
    /// Reads the log after a position.
    pub(crate) fn after(store: EventStore, after: Position) -> Self {
        let (sender, batches) = mpsc::channel(2);
        let reading = tokio::spawn(async move {
            if let Err(error) = read(&store, after, &sender).await {
                // When nobody listens any more, nobody wants to know.
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { batches, _reading: AbortOnDropHandle::new(reading) }
    }

    /// The next events, at least one. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Batch, Error> {
        match self.batches.recv().await {
            Some(batch) => batch,
            // Only a panic ends it without a word.
            None => Err(Error::Log(event_store::Error::Unavailable(sqlx::Error::WorkerCrashed))),
        }
    }
}

async fn read(
    store: &EventStore,
    mut after: Position,
    sender: &mpsc::Sender<Result<Batch, Error>>,
) -> Result<(), Error> {
    let mut away = false;
    loop {
        let raws = match store.read_raw(after, BATCH, &Filter::default()).await {
            Ok(raws) => raws,
            Err(event_store::Error::Unavailable(error)) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%error, "the log cannot be read; it is tried again until it can");
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        away = false;
        if raws.is_empty() {
            store.wake().beyond(after, POLL).await;
            continue;
        }
        after = contiguous(after, &raws)?;
        store.wake().appended(after);
        let at_head = raws.len() < BATCH as usize;
        if sender.send(Ok(Batch { raws, at_head })).await.is_err() {
            return Ok(());
        }
    }
}

/// The last position of events that follow one another.
fn contiguous(mut after: Position, raws: &[Raw]) -> Result<Position, Error> {
    for raw in raws {
        if raw.position.0 != after.0 + 1 {
            return Err(Error::Gap { after, found: raw.position });
        }
        after = raw.position;
    }
    Ok(after)
}
