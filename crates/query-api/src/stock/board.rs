//! Stock as it changes. However many people watch, the log is followed once, and what changed is read once per batch.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Category;
use domain::text::Sku;
use event_store::{EventStore, Filter, Head, Patient, Raw};
use futures::FutureExt;
use projections::stock::Stock as Model;
use projections::stock::query::{self, Stock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::Error;
use crate::events::{Pages, Selection};
use crate::replicas::Replicas;

/// Pause after a failure, before the log is followed again.
const RETRY: Duration = Duration::from_millis(500);
/// How long to wait at once for the read model to reach what the log says.
const CATCH_UP: Duration = Duration::from_secs(5);
/// With nothing happening for so long, it is looked at whether anybody still watches.
const IDLE: Duration = Duration::from_secs(30);
/// Events read from the log at once.
const PAGE: u32 = 500;

/// Who watches which stock item.
#[derive(Clone)]
pub(crate) struct Board(Arc<Shared>);

struct Shared {
    replicas: Replicas,
    store: EventStore,
    shutdown: CancellationToken,
    watched: Mutex<Watched>,
}

#[derive(Default)]
struct Watched {
    items: HashMap<Sku, watch::Sender<Option<Stock>>>,
    /// Whether somebody follows the log for them.
    followed: bool,
}

impl Board {
    pub(crate) fn new(replicas: Replicas, store: EventStore, shutdown: CancellationToken) -> Self {
        Self(Arc::new(Shared { replicas, store, shutdown, watched: Mutex::default() }))
    }

    /// Begins to watch an item. What has happened up to the position that is answered must be read from the read model
    /// once that has reached it; what happens later is received.
    pub(crate) async fn watch(&self, sku: &Sku) -> Result<(watch::Receiver<Option<Stock>>, Head), Error> {
        let head = self.0.store.head().await?;
        let mut watched = self.0.watched();
        let item = watched.items.entry(sku.clone()).or_insert_with(|| watch::Sender::new(None));
        let receiver = item.subscribe();
        if !watched.followed {
            watched.followed = true;
            tokio::spawn(follow(self.0.clone(), head));
        }
        Ok((receiver, head))
    }
}

impl Shared {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        // A panic elsewhere leaves a map that is whole: every change of it is one call.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets items that nobody watches any more. `false`: nobody watches anything, and nobody follows from now on.
    fn still_watched(&self) -> bool {
        let mut watched = self.watched();
        watched.items.retain(|_, item| item.receiver_count() > 0);
        watched.followed = !watched.items.is_empty();
        watched.followed
    }

    /// Those of them that somebody watches. Looked up once the read model has come so far: whoever begins to watch later reads
    /// it there.
    fn wanted(&self, changed: &HashSet<Sku>) -> Vec<Sku> {
        let watched = self.watched();
        changed.iter().filter(|sku| watched.items.contains_key(*sku)).cloned().collect()
    }

    /// Reads what these events changed, once the read model shows it, and tells those who watch.
    async fn tell(&self, page: &[Raw], log: Uuid) -> Result<(), Error> {
        let Some(last) = page.last() else { return Ok(()) };
        let place = Head { epoch: log, position: last.position };
        let changed: HashSet<Sku> = page.iter().filter_map(|raw| Sku::parse(raw.stream.key()).ok()).collect();
        let changed = &changed;
        let find = |read: Patient| async move { query::find_all(&read, &self.wanted(changed)).await };
        for stock in self.replicas.ask(Some(place), &[Model::NAME], CATCH_UP, find).await? {
            if let Some(item) = self.watched().items.get(&stock.sku) {
                item.send_replace(Some(stock));
            }
        }
        Ok(())
    }
}

/// Follows the stock items' part of the log for as long as somebody watches.
async fn follow(shared: Arc<Shared>, from: Head) {
    let filter = Filter { categories: vec![Category::Stock], ..Filter::default() };
    let selection = Selection { after: from.position, remaining: u64::MAX, filter };
    let mut pages = Pages::new(shared.store.clone(), selection, PAGE);
    while shared.still_watched() {
        let page = match tokio::time::timeout(IDLE, pages.follow(&shared.shutdown)).await {
            Err(_idle) => continue,
            Ok(Ok(None)) => return,
            Ok(Ok(Some(page))) => page,
            Ok(Err(error)) => {
                tracing::warn!(%error, "stock cannot be followed just now: the log could not be read");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        };
        while let Err(error) = shared.tell(&page, from.epoch).boxed().await {
            if !matches!(error, Error::Lagging) {
                tracing::warn!(%error, "stock cannot be followed just now: the read model could not be asked");
                tokio::time::sleep(RETRY).await;
            }
            if shared.shutdown.is_cancelled() {
                return;
            }
        }
    }
}
