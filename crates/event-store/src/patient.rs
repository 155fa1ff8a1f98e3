//! Asking a pool, but not for ever.
//!
//! A connection may lead nowhere: its server's machine has gone (a failover), or something between has forgotten it. Nothing comes back
//! then, not even an error, until the kernel gives up, which takes a quarter of an hour. And a question that is given up leaves an
//! answer behind in its connection, for which the pool would wait before it lends that one out again, just as long.

use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryFutureExt, TryStreamExt};
use sqlx::pool::{CloseEvent, PoolConnection};
use sqlx::postgres::{PgDatabaseError, PgQueryResult, PgRow, PgSeverity, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Error, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr};
use tokio::runtime::Handle;
use tokio::time::Instant;

/// A connection that was used within so long is kept: it is not asked whether it is there before it is used again, which takes as long as
/// a short statement does.
const TRUSTED: Duration = Duration::from_secs(1);
/// One that goes back to the pool has so long to answer what nobody waits for any more, and to say that it is there.
const LATE_MAX: Duration = Duration::from_secs(5);
/// After so long a connection goes back to the pool, which may have had it for long enough.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// A pool whose statements are answered within a time, or fail as an outage. The connection of one that is not, or that nobody waits for
/// any more, is closed soon, and another one may take its place.
///
/// Up to half of its connections are kept beside it for a second each: the pool asks each that comes back whether it is still there.
/// Rows are gathered before they are given out: for answers that fit into memory.
#[derive(Debug, Clone)]
pub struct Patient {
    pool: PgPool,
    answer_max: Duration,
    kept: Arc<Shelf>,
}

/// Connections that wait for the next statement, the one that was used last on top.
#[derive(Debug, Default)]
struct Shelf(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Postgres>,
    /// When it came from the pool.
    lent: Instant,
    answered: Instant,
}

impl Shelf {
    fn all(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes them all.
    fn clear(&self) {
        let all = std::mem::take(&mut *self.all());
        all.into_iter().for_each(|kept| drop(kept.connection.detach()));
    }

    /// Gives those back that nobody has used for a while.
    fn tidy(&self) {
        let mut all = self.all();
        let used = all.iter().position(|kept| kept.answered.elapsed() < TRUSTED).unwrap_or(all.len());
        all.drain(..used).for_each(|kept| give_back(kept.connection));
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.clear();
    }
}

/// As the pool does when a connection is dropped, but not for as long as it takes.
fn give_back(mut connection: PoolConnection<Postgres>) {
    match Handle::try_current() {
        // Given up, it is closed, and its place in the pool is free.
        Ok(runtime) => drop(runtime.spawn(tokio::time::timeout(LATE_MAX, connection.return_to_pool()))),
        Err(_) => drop(connection.detach()),
    }
}

/// Gives back what is not used, until the pool is closed; then closes what is there.
async fn look_after(shelf: Weak<Shelf>, closed: CloseEvent) {
    let mut closed = pin!(closed);
    loop {
        let is_closed = tokio::time::timeout(TRUSTED, &mut closed).await.is_ok();
        let Some(shelf) = shelf.upgrade() else { return };
        if is_closed {
            return shelf.clear();
        }
        shelf.tidy();
    }
}

impl Patient {
    /// Every statement is given so long, once it has a connection. When the pool is closed, so are the connections kept here.
    pub fn new(pool: PgPool, answer_max: Duration) -> Self {
        let kept = Arc::new(Shelf::default());
        tokio::spawn(look_after(Arc::downgrade(&kept), pool.close_event()));
        Self { pool, answer_max, kept }
    }

    /// The same connections, with as much time for a statement as this.
    #[must_use]
    pub fn with_answer_max(&self, answer_max: Duration) -> Self {
        Self { answer_max, ..self.clone() }
    }

    /// A connection that is there, as far as that is known.
    async fn lend(&self) -> Result<Lent<'_>, Error> {
        if self.pool.is_closed() {
            return Err(Error::PoolClosed);
        }
        let kept = self.kept.all().pop();
        if let Some(Kept { connection, lent, answered }) = kept {
            if answered.elapsed() < TRUSTED {
                return Ok(Lent { connection: Some(connection), lent, patient: self });
            }
            give_back(connection);
        }
        let connection = Some(self.pool.acquire().await?);
        Ok(Lent { connection, lent: Instant::now(), patient: self })
    }

    /// Whether a connection of the pool may be kept from it: nobody waits for one then.
    fn has_more(&self) -> bool {
        let (max, in_use) = (self.pool.options().get_max_connections(), self.pool.size());
        (in_use as usize).saturating_sub(self.pool.num_idle()) < max as usize
    }

    /// A connection has led nowhere. So do those beside it, most likely: they are closed, and whoever comes next has a new one.
    fn distrust(&self) {
        self.kept.clear();
        for _ in 0..self.pool.size() {
            let Some(idle) = self.pool.try_acquire() else { return };
            drop(idle.detach());
        }
    }

    fn has_not_answered(&self) -> Error {
        let why = format!("the database has not answered for {:?}", self.answer_max);
        Error::Io(io::Error::new(ErrorKind::TimedOut, why))
    }
}

impl Deref for Patient {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.pool
    }
}

/// A connection in use. One that is dropped before it was answered gets a little more time, and is closed then.
struct Lent<'a> {
    connection: Option<PoolConnection<Postgres>>,
    lent: Instant,
    patient: &'a Patient,
}

impl Lent<'_> {
    fn connection(&mut self) -> Result<&mut PgConnection, Error> {
        self.connection.as_deref_mut().ok_or(Error::PoolClosed)
    }

    /// It may be used again, unless it is the connection that has failed: then so have those beside it, most likely.
    fn answered<T>(mut self, answer: &Result<T, Error>) {
        if answer.as_ref().is_err_and(|error| !is_of_statement(error)) {
            self.patient.distrust();
            return self.close();
        }
        let Some(connection) = self.connection.take() else { return };
        let patient = self.patient;
        let mut kept = patient.kept.all();
        if kept.len() < patient.pool.options().get_max_connections() as usize / 2
            && self.lent.elapsed() < KEPT_FOR
            && patient.has_more()
            && !patient.pool.is_closed()
        {
            kept.push(Kept { connection, lent: self.lent, answered: Instant::now() });
        } else {
            give_back(connection);
        }
    }

    fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            give_back(connection);
        }
    }
}

/// Whether it is the statement that has failed, and not the connection.
fn is_of_statement(error: &Error) -> bool {
    let database = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    database.is_some_and(|error| !matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
}

/// Asks over a connection of a patient pool.
macro_rules! asked {
    ($patient:expr, $connection:ident => $answer:expr) => {{
        let patient = $patient.clone();
        async move {
            let mut lent = patient.lend().await?;
            let $connection = lent.connection()?;
            match tokio::time::timeout(patient.answer_max, $answer).await {
                Ok(answer) => {
                    lent.answered(&answer);
                    answer
                }
                Err(_elapsed) => {
                    lent.close();
                    patient.distrust();
                    Err(patient.has_not_answered())
                }
            }
        }
    }};
}

impl<'p> Executor<'p> for &Patient {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let answer = asked!(self, connection => connection.fetch_many(query).try_collect::<Vec<_>>());
        let each = answer.map_ok(|answer| stream::iter(answer.into_iter().map(Ok)));
        stream::once(each).try_flatten().boxed()
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(asked!(self, connection => connection.fetch_all(query)))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(asked!(self, connection => connection.fetch_optional(query)))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'p: 'e,
    {
        Box::pin(asked!(self, connection => connection.prepare_with(sql, parameters)))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'p: 'e,
    {
        Box::pin(asked!(self, connection => connection.describe(sql)))
    }
}
