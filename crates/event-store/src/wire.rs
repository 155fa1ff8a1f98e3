//! The connections that appends go over, kept, with their statements prepared: a plain one's takes the next before it has answered
//! (`pipe.rs`), that of `log.append_whole` does not. From a pool each append would get another connection, and the pool asks each that comes
//! back whether it is still there: a round trip more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::Error;
use crate::pipe::{Kept, Lent};

/// So many appends in a row must have found the log as it was left, before the next one is sent as if it were so. Nodes that take turns
/// would send each in vain.
const UNDISTURBED_MIN: u32 = 64;

/// The way to the log for appends, shared by all clones of a store.
#[derive(Clone)]
pub(crate) struct Way {
    /// What `log.append_whole` goes over.
    kept: Arc<Mutex<Option<PgConnection>>>,
    /// What plain appends go over.
    pipe: Kept,
    /// Appends in a row that found the log as the one before had left it.
    undisturbed: Arc<AtomicU32>,
    /// The log has sent this node back to decide again, in its turn: nobody else appends until that is over.
    has_turn: Arc<AtomicBool>,
}

impl Default for Way {
    fn default() -> Self {
        Self {
            kept: Arc::default(),
            pipe: Kept::default(),
            undisturbed: Arc::new(AtomicU32::new(UNDISTURBED_MIN)),
            has_turn: Arc::default(),
        }
    }
}

impl Way {
    /// The connection for `log.append_whole`: the kept one, a new one to keep, or one of the pool's when that one is in use.
    pub(crate) async fn wire(&self, pool: &PgPool) -> Result<Wire, sqlx::Error> {
        let Ok(mut place) = Arc::clone(&self.kept).try_lock_owned() else {
            return Ok(Wire::Pooled(pool.acquire().await?));
        };
        let connection = match place.take() {
            Some(connection) => connection,
            None => connect(pool).await?,
        };
        Ok(Wire::Kept { connection, place })
    }

    /// The connection for plain appends.
    pub(crate) async fn pipe(&self, pool: &PgPool) -> Result<Lent, Error> {
        self.pipe.lend(pool).await
    }

    /// Whether nobody else seems to append, so that it is worth trying as if it were so.
    pub(crate) fn is_clear(&self) -> bool {
        self.has_turn.load(Ordering::Relaxed) || self.undisturbed.load(Ordering::Relaxed) >= UNDISTURBED_MIN
    }

    /// A turn of this node begins.
    pub(crate) fn sent_back(&self) {
        self.has_turn.store(true, Ordering::Relaxed);
    }

    /// What an append has found: the log as the one before had left it, or somebody else's events.
    pub(crate) fn found(&self, undisturbed: bool) {
        let before = self.undisturbed.load(Ordering::Relaxed);
        let now = if undisturbed { before.saturating_add(1) } else { 0 };
        if !undisturbed {
            self.has_turn.store(false, Ordering::Relaxed);
        }
        self.undisturbed.store(now, Ordering::Relaxed);
    }
}

/// Not one of the pool's: when a kept one has led nowhere, so may those.
async fn connect(pool: &PgPool) -> Result<PgConnection, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    // Arrays have no statistics: a plan of its own for each batch is never better, and takes as long as the append.
    sqlx::query("SET plan_cache_mode = force_generic_plan").execute(&mut connection).await?;
    Ok(connection)
}

/// A connection in use. Dropped, it is closed: whoever gave up waiting has left an answer in it. [`Self::keep`] gives it back.
pub(crate) enum Wire {
    /// The kept one.
    Kept {
        /// It.
        connection: PgConnection,
        /// Where it belongs.
        place: OwnedMutexGuard<Option<PgConnection>>,
    },
    /// One of the pool's.
    Pooled(PoolConnection<Postgres>),
}

impl Wire {
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        match self {
            Self::Kept { connection, .. } => connection,
            Self::Pooled(connection) => connection,
        }
    }

    /// It has been answered, and may be used again.
    pub(crate) fn keep(self) {
        if let Self::Kept { connection, mut place } = self {
            *place = Some(connection);
        }
    }
}
