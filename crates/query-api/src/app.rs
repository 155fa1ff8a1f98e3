//! What the handlers need: the read models and who answers from them, the log, the keys of tokens and cursors, and the limits.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use event_store::EventStore;
use http_surface::auth::Keys;
use projections::products::query::Finder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::products::Recent;
use crate::replicas::Replicas;
use crate::stock::Board;

/// Limits of the query API.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long a query waits for the position of its `Consistency-Token`.
    pub consistency_wait: Duration,
    /// Events read from the log at once when it is streamed: what one stream holds in memory.
    pub events_per_page: u32,
    /// Streams of `/v1/events` open at once; more are answered with 503. Each looks at the log by itself.
    pub analysts_max: usize,
    /// Streams of `/v1/stock/{sku}/live` open at once; more are answered with 503. The log is followed once for all of them.
    pub streams_max: usize,
    /// When this is cancelled, streams end, so that the server can stop.
    pub shutdown: CancellationToken,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            consistency_wait: Duration::from_secs(2),
            events_per_page: 200,
            analysts_max: 100,
            streams_max: 10_000,
            shutdown: CancellationToken::new(),
        }
    }
}

/// The query API's state. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) replicas: Replicas,
    pub(crate) store: EventStore,
    pub(crate) keys: Keys,
    pub(crate) config: Config,
    pub(crate) board: Board,
    pub(crate) recent: Recent,
    /// The search engine, when there is one.
    pub(crate) finder: Option<Arc<dyn Finder>>,
    analysts: Arc<Semaphore>,
    watchers: Arc<Semaphore>,
}

impl App {
    /// An application over the read models (connections with `search_path` = `read`, those of the primary alone or with
    /// replicas) and the log.
    pub fn new(replicas: impl Into<Replicas>, store: EventStore, keys: Keys, config: Config) -> Self {
        let replicas = replicas.into();
        replicas.watch(&config.shutdown);
        let board = Board::new(replicas.clone(), store.clone(), config.shutdown.clone());
        let analysts = Arc::new(Semaphore::new(config.analysts_max));
        let watchers = Arc::new(Semaphore::new(config.streams_max));
        Self { replicas, store, keys, config, board, recent: Recent::new(), finder: None, analysts, watchers }
    }

    /// A place among those who read the log; given back when it is dropped.
    pub(crate) fn reading_place(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.analysts.clone().try_acquire_owned().map_err(|_| Error::TooManyStreams)
    }

    /// A place among those who watch stock; given back when it is dropped.
    pub(crate) fn watching_place(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.watchers.clone().try_acquire_owned().map_err(|_| Error::TooManyStreams)
    }
}

impl FromRef<App> for Keys {
    fn from_ref(app: &App) -> Self {
        app.keys.clone()
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}
