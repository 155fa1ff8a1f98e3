//! What the handlers need: the read models, the log, the keys of tokens and cursors, and the limits.

use std::sync::Arc;
use std::time::Duration;

use event_store::EventStore;
use http_surface::auth::Keys;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::stock::live::Board;

/// Limits of the query API.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long a query waits for the position of its `Consistency-Token`.
    pub consistency_wait: Duration,
    /// Events read from the log at once when it is streamed: what one stream holds in memory.
    pub events_per_page: u32,
    /// Streams (`/v1/events`, `/v1/stock/{sku}/live`) open at once; more are answered with 503.
    pub streams_max: usize,
    /// When this is cancelled, streams end, so that the server can stop.
    pub shutdown: CancellationToken,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            consistency_wait: Duration::from_secs(2),
            events_per_page: 200,
            streams_max: 10_000,
            shutdown: CancellationToken::new(),
        }
    }
}

/// The query API's state. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) read: PgPool,
    pub(crate) store: EventStore,
    pub(crate) keys: Keys,
    pub(crate) config: Config,
    pub(crate) board: Board,
    pub(crate) streams: Arc<Semaphore>,
}

impl App {
    /// An application over the read models (connections with `search_path` = `read`) and the log.
    pub fn new(read: PgPool, store: EventStore, keys: Keys, config: Config) -> Self {
        let board = Board::new(read.clone(), store.clone(), config.shutdown.clone());
        let streams = Arc::new(Semaphore::new(config.streams_max));
        Self(Arc::new(Inner { read, store, keys, config, board, streams }))
    }
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}
