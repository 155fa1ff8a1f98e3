//! The log in PostgreSQL: append, load, read, feed, snapshots, and the sealing of personal data.
//!
//! Positions are 1, 2, 3, … in commit order, without gaps: the head row is locked by an append and released by its commit, so a
//! reader at position P has seen everything up to P. Every append is one autocommit call of `log.append_batch`.

mod append;
mod columns;
mod error;
mod feed;
mod keys;
mod load;
mod read;
mod record;
mod row;
pub mod schema;
#[cfg(feature = "testing")]
pub mod testing;

use std::sync::Arc;

pub use append::{Appended, Batch, Outcome, Proposed, Seen};
pub use error::Error;
pub use feed::{Feed, Wake};
pub use keys::{MasterKey, MasterKeyError};
pub use load::{Loaded, Wanted};
pub use read::Filter;
pub use record::{CommandKey, Head, Metadata, Position, Raw, Recorded};
pub use schema::migrate;

use domain::ids::SubjectId;
use domain::text::Email;
use sqlx::PgPool;

use self::keys::Keys;

/// The log. Cheap to clone.
#[derive(Clone)]
pub struct EventStore {
    pool: PgPool,
    keys: Arc<Keys>,
    wake: Wake,
}

impl std::fmt::Debug for EventStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStore").finish_non_exhaustive()
    }
}

impl EventStore {
    /// Opens a log whose schema is there (see [`migrate`]).
    ///
    /// # Errors
    /// [`Error::WrongMasterKey`] when the personal data in it was sealed under another master key.
    pub async fn open(pool: PgPool, master: MasterKey) -> Result<Self, Error> {
        let keys = Keys::open(&pool, master).await?;
        let store = Self { pool, keys: Arc::new(keys), wake: Wake::default() };
        let head = store.head().await?;
        store.wake.appended(head.position);
        Ok(store)
    }

    /// The same log through other connections, with nothing in memory yet.
    pub async fn reopen(&self, pool: PgPool) -> Result<Self, Error> {
        Self::open(pool, self.keys.master()).await
    }

    /// The same log through other connections, in one process: with the same keys, and woken by the same appends.
    #[must_use]
    pub fn with_pool(&self, pool: PgPool) -> Self {
        Self { pool, ..self.clone() }
    }

    /// The database it is in.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Tells readers in this process that there is more.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// Where the log ends.
    pub async fn head(&self) -> Result<Head, Error> {
        let (epoch, position): (uuid::Uuid, i64) =
            sqlx::query_as("SELECT epoch, position FROM log.head").fetch_one(&self.pool).await?;
        Ok(Head { epoch, position: position.into() })
    }

    /// Declares the log to be another one from here on (it was restored, or failed over with loss), so that nothing downstream
    /// mistakes positions that are used again for those it knows.
    pub async fn bump_epoch(&self) -> Result<Head, Error> {
        let (epoch, position): (uuid::Uuid, i64) =
            sqlx::query_as("UPDATE log.head SET epoch = gen_random_uuid() RETURNING epoch, position")
                .fetch_one(&self.pool)
                .await?;
        Ok(Head { epoch, position: position.into() })
    }

    /// Forgets a person: destroys the key that all personal data of theirs is sealed with, for ever. `false`: it was gone already.
    pub async fn destroy_key(&self, subject: SubjectId) -> Result<bool, Error> {
        self.keys.destroy(&self.pool, subject).await
    }

    /// The keyed hash by which an e-mail address is found.
    pub fn email_index(&self, email: &Email) -> domain::customer::EmailIndex {
        self.keys.email_index(email)
    }
}
