//! The log in PostgreSQL: append, load, read, feed, snapshots, and the sealing of personal data.
//!
//! Positions are 1, 2, 3, … in commit order, without gaps: the head row is locked by an append and released by its commit, so a
//! reader at position P has seen everything up to P. Every append is one autocommit statement.

mod append;
mod connecting;
mod delivery;
mod each;
mod error;
mod feed;
mod follow;
mod json;
mod keys;
mod lane;
mod load;
mod patient;
mod pipe;
mod plain;
mod prepared;
mod read;
mod record;
mod replay;
mod row;
pub mod schema;
mod security;
mod tail;
#[cfg(feature = "testing")]
pub mod testing;
mod whole;
mod wire;

use std::sync::Arc;
use std::time::Duration;

pub use append::{Appended, Batch, Front, Outcome, Proposed, Seen};
pub use connecting::{planned_once, trusting};
pub use delivery::{Boxed, Delivery, Feed, Place, Places, Received, Unreadable};
pub use error::{Error, is_outage};
pub use feed::{LogFeed, Wake};
pub use follow::WholeLog;
pub use keys::{MasterKey, MasterKeyError};
pub use lane::{Lane, NotALane, Topic, partition_of};
pub use load::{Loaded, Wanted};
pub use patient::Patient;
pub use prepared::Encoded;
pub use read::Filter;
pub use record::{CommandKey, Head, Metadata, Position, Raw, Recorded};
pub use replay::{Lengths, Page, Replay, Segment, Segments, Stored};
pub use schema::migrate;
pub use tail::Stretch;

use domain::ids::SubjectId;
use domain::text::Email;
use sqlx::PgPool;

use self::keys::Keys;
use self::tail::Tail;
use self::wire::Way;

/// Whoever asks for less at once can be answered in less; this is for connections that lead nowhere. Appends are in the hands of
/// whoever appends.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// The log. Cheap to clone.
#[derive(Clone)]
pub struct EventStore {
    pool: Patient,
    keys: Arc<Keys>,
    wake: Wake,
    way: Way,
    tail: Arc<Tail>,
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
        let store = Self::over(pool, keys);
        let head = store.head().await?;
        store.wake.appended(head.position);
        Ok(store)
    }

    /// A log whose database need not be there yet, for those who only read what it says as it is stored ([`Self::read_raw`],
    /// [`Self::head`]): nothing has been checked, and sealed data may have been sealed under another master key.
    pub fn unchecked(pool: PgPool, master: MasterKey) -> Self {
        Self::over(pool, Keys::unchecked(master))
    }

    fn over(pool: PgPool, keys: Keys) -> Self {
        Self {
            pool: Patient::new(pool, ANSWER_MAX),
            keys: Arc::new(keys),
            wake: Wake::default(),
            way: Way::default(),
            tail: Arc::default(),
        }
    }

    /// The same log through other connections, with nothing in memory yet.
    pub async fn reopen(&self, pool: PgPool) -> Result<Self, Error> {
        Self::open(pool, self.keys.master()).await
    }

    /// The same log through other connections, in one process: with the same keys, and woken by the same appends.
    #[must_use]
    pub fn with_pool(&self, pool: PgPool) -> Self {
        Self { pool: Patient::new(pool, ANSWER_MAX), way: Way::default(), ..self.clone() }
    }

    /// The same log, with as much time for a statement as this.
    #[must_use]
    pub fn with_answer_max(&self, answer_max: Duration) -> Self {
        Self { pool: self.pool.with_answer_max(answer_max), ..self.clone() }
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
        let destroyed = self.keys.destroy(&self.pool, subject).await?;
        self.tail.clear().await;
        Ok(destroyed)
    }

    /// The keyed hash by which an e-mail address is found.
    pub fn email_index(&self, email: &Email) -> domain::customer::EmailIndex {
        self.keys.email_index(email)
    }
}
