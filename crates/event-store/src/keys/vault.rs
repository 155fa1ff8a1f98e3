//! Keys of persons, in `vault.subject_keys`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::ids::SubjectId;
use domain::text::Email;
use sqlx::PgPool;
use uuid::Uuid;

use super::{MasterKey, fresh, master, open, seal};
use crate::{Error, Patient};

/// How long an opened key stays in memory: the longest time that another node can still read somebody who was forgotten.
const CACHED: Duration = Duration::from_secs(60);
/// How many opened keys stay in memory.
const CACHED_MAX: u64 = 100_000;

/// The key of one person.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject {
    Key([u8; 32]),
    Destroyed,
}

/// The keys of all persons.
pub(crate) struct Keys {
    master: MasterKey,
    index_key: [u8; 32],
    opened: moka::sync::Cache<Uuid, Subject>,
}

impl Keys {
    pub(crate) async fn open(pool: &PgPool, master: MasterKey) -> Result<Self, Error> {
        let fingerprint = master.derive("fingerprint").to_vec();
        sqlx::query("INSERT INTO vault.master_key (fingerprint) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(&fingerprint)
            .execute(pool)
            .await?;
        let stored: Vec<u8> =
            sqlx::query_scalar("SELECT fingerprint FROM vault.master_key").fetch_one(pool).await?;
        if stored != fingerprint {
            return Err(Error::WrongMasterKey);
        }
        Ok(Self::unchecked(master))
    }

    /// Under a master key that may not be the right one.
    pub(crate) fn unchecked(master: MasterKey) -> Self {
        let opened = moka::sync::Cache::builder().max_capacity(CACHED_MAX).time_to_live(CACHED).build();
        Self { index_key: master.derive("email index"), master, opened }
    }

    pub(crate) fn master(&self) -> MasterKey {
        self.master.copy()
    }

    pub(crate) fn email_index(&self, email: &Email) -> domain::customer::EmailIndex {
        let hex = hex::encode(master::mac(&self.index_key, email.as_str().to_lowercase().as_bytes()));
        domain::customer::EmailIndex::parse(&hex)
            .unwrap_or_else(|_| unreachable!("64 hex digits are an index"))
    }

    pub(crate) async fn destroy(&self, pool: &Patient, subject: SubjectId) -> Result<bool, Error> {
        let destroyed = sqlx::query(
            "INSERT INTO vault.subject_keys (subject, destroyed_at) VALUES ($1, now())
             ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = now() WHERE subject_keys.destroyed_at IS NULL",
        )
        .bind(subject.0)
        .execute(pool)
        .await?;
        self.opened.insert(subject.0, Subject::Destroyed);
        Ok(destroyed.rows_affected() > 0)
    }

    /// The keys of these subjects, in one query; missing ones are made when `create` says so.
    pub(crate) async fn of(
        &self,
        pool: &Patient,
        subjects: HashSet<Uuid>,
        create: bool,
    ) -> Result<HashMap<Uuid, Subject>, Error> {
        let mut found = HashMap::with_capacity(subjects.len());
        let mut wanted = Vec::new();
        for subject in subjects {
            match self.opened.get(&subject) {
                Some(key) => drop(found.insert(subject, key)),
                None => wanted.push(subject),
            }
        }
        if wanted.is_empty() {
            return Ok(found);
        }
        if create {
            for (subject, key) in self.create(pool, &wanted).await? {
                self.opened.insert(subject, key);
                found.insert(subject, key);
            }
            wanted.retain(|subject| !found.contains_key(subject));
            if wanted.is_empty() {
                return Ok(found);
            }
        }
        let rows: Vec<(Uuid, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT subject, wrapped FROM vault.subject_keys WHERE subject = ANY ($1)")
                .bind(&wanted)
                .fetch_all(pool)
                .await?;
        for (subject, wrapped) in rows {
            let key = match wrapped {
                None => Subject::Destroyed,
                Some(wrapped) => Subject::Key(self.unwrap(subject, &wrapped)?),
            };
            self.opened.insert(subject, key);
            found.insert(subject, key);
        }
        Ok(found)
    }

    /// Makes keys where there are none, and returns those. Two nodes may try at once; the first one's key counts for both.
    async fn create(&self, pool: &Patient, wanted: &[Uuid]) -> Result<Vec<(Uuid, Subject)>, Error> {
        let mut keys: Vec<_> = wanted.iter().map(|subject| (*subject, fresh())).collect();
        keys.sort_unstable_by_key(|(subject, _)| *subject);
        let wrapped = keys
            .iter()
            .map(|(subject, key)| {
                seal(self.master.bytes(), key, subject.as_bytes()).ok_or(Error::Seal(*subject))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let made: HashSet<Uuid> = sqlx::query_scalar(
            "INSERT INTO vault.subject_keys (subject, wrapped) SELECT * FROM unnest($1::uuid[], $2::bytea[])
             ON CONFLICT DO NOTHING RETURNING subject",
        )
        .bind(keys.iter().map(|(subject, _)| *subject).collect::<Vec<_>>())
        .bind(&wrapped)
        .fetch_all(pool)
        .await?
        .into_iter()
        .collect();
        let made = keys.into_iter().filter(|(subject, _)| made.contains(subject));
        Ok(made.map(|(subject, key)| (subject, Subject::Key(key))).collect())
    }

    fn unwrap(&self, subject: Uuid, wrapped: &[u8]) -> Result<[u8; 32], Error> {
        open(self.master.bytes(), wrapped, subject.as_bytes())
            .and_then(|key| key.try_into().ok())
            .ok_or(Error::Seal(subject))
    }
}

impl Subject {
    /// Seals personal data for one event. `None`: the subject was forgotten, and the data with it.
    pub(crate) fn seal(self, subject: Uuid, plain: &str, bound: &str) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Destroyed => Ok(None),
            Self::Key(key) => {
                seal(&key, plain.as_bytes(), bound.as_bytes()).map(Some).ok_or(Error::Seal(subject))
            }
        }
    }

    /// Opens personal data of one event. `None`: the subject was forgotten.
    pub(crate) fn open(self, subject: Uuid, sealed: &[u8], bound: &str) -> Result<Option<String>, Error> {
        match self {
            Self::Destroyed => Ok(None),
            Self::Key(key) => open(&key, sealed, bound.as_bytes())
                .and_then(|plain| String::from_utf8(plain).ok())
                .map(Some)
                .ok_or(Error::Seal(subject)),
        }
    }
}
