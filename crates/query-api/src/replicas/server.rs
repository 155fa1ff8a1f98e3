//! One database that queries are answered from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use event_store::Patient;
use metrics::{Counter, Label};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::{Notify, watch};

use crate::error::Error;

/// A replica on which no connection is free for so long is not waited for: others can answer.
const ACQUIRE: Duration = Duration::from_secs(1);
/// A query that takes longer went over a connection that leads nowhere.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Looks get no longer than this: a little less than a server is given to answer one, so that its connection is closed with it.
const LOOK_MAX: Duration = Duration::from_millis(900);

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It answers, and has what it should.
    Well,
    /// It answers, but is too far behind.
    Lagging,
    /// It does not answer, or has not been asked yet.
    Away,
}

/// The primary's number.
pub(super) const PRIMARY: usize = 0;

/// The primary or a replica of it.
pub(super) struct Server {
    /// That of a replica, from 1 on, or [`PRIMARY`].
    pub(super) number: usize,
    /// `primary`, or `replica-1` and so on.
    pub(super) name: String,
    pub(super) pool: Patient,
    /// Looks at how far it is go here: they must not wait for queries.
    pub(super) looks: Patient,
    /// Told when it should be looked at again at once.
    pub(super) suspected: Notify,
    state: watch::Sender<State>,
    in_use: AtomicUsize,
    /// Connections opened so far. A new one may lead to a server that was started again, and is behind what it had shown.
    opened: Arc<AtomicU64>,
    answers: Counter,
}

impl Server {
    /// The primary. `watched`: there are replicas to compare with it.
    pub(super) fn primary(pool: PgPool, watched: bool) -> Self {
        let pool = Patient::new(pool, ANSWER_MAX);
        let looks = if watched { for_looks((*pool.connect_options()).clone()) } else { pool.clone() };
        Self::new(PRIMARY, pool, looks, Arc::default(), State::Well)
    }

    /// A replica, which is left out until it has answered.
    pub(super) fn replica(number: usize, options: PgConnectOptions, connections_max: u32) -> Self {
        let options = projections::keeping_plans(options);
        let opened = Arc::new(AtomicU64::new(0));
        let counted = opened.clone();
        let pool = projections::for_queries(connections_max).acquire_timeout(ACQUIRE);
        let pool = pool.after_connect(move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(async { Ok(()) })
        });
        let pool = Patient::new(pool.connect_lazy_with(options.clone()), ANSWER_MAX);
        let looks = for_looks(options);
        Self::new(number, pool, looks, opened, State::Away)
    }

    fn new(number: usize, pool: Patient, looks: Patient, opened: Arc<AtomicU64>, state: State) -> Self {
        let name = if number == PRIMARY { "primary".to_owned() } else { format!("replica-{number}") };
        let answers = metrics::counter!("query_source_total", vec![Label::new("source", name.clone())]);
        Self {
            number,
            name,
            pool,
            looks,
            suspected: Notify::new(),
            state: watch::Sender::new(state),
            in_use: AtomicUsize::new(0),
            opened,
            answers,
        }
    }

    pub(super) fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Says how it is, in the log as well when that is news.
    pub(super) fn is(&self, state: State) {
        if self.state.send_replace(state) == state {
            return;
        }
        let server = self.name.as_str();
        match state {
            State::Well => tracing::info!(server, "{server} answers queries"),
            State::Lagging => tracing::warn!(server, "{server} is left out of queries: it is too far behind"),
            State::Away => tracing::warn!(server, "{server} is left out of queries: it does not answer"),
        }
    }

    /// Queries that are under way on it.
    pub(super) fn in_use(&self) -> usize {
        self.in_use.load(Ordering::Relaxed)
    }

    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::SeqCst)
    }

    pub(super) fn has_answered(&self) {
        self.answers.increment(1);
    }

    /// It failed in the middle of a query: to be looked at before others are sent there.
    pub(super) fn suspect(&self) {
        if self.number != PRIMARY {
            self.is(State::Away);
        }
        self.suspected.notify_one();
    }

    /// Asks it. A replica that turns out not to answer any more is given up in the middle of a query; there are others.
    pub(super) async fn answer<T, E, F>(&self, question: &impl Fn(Patient) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, E>>,
        Error: From<E>,
    {
        let _use = Use::of(&self.in_use);
        tokio::select! {
            answer = question(self.pool.clone()) => Ok(answer?),
            () = self.is_lost() => Err(Error::Database(sqlx::Error::PoolTimedOut)),
        }
    }

    async fn is_lost(&self) {
        let mut state = self.state.subscribe();
        // Its sender is held here, so it does not end.
        let away = state.wait_for(|state| *state == State::Away && self.number != PRIMARY);
        if away.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Connections on which nothing waits for queries: one, and one for when that one leads nowhere.
fn for_looks(options: PgConnectOptions) -> Patient {
    let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(ACQUIRE);
    Patient::new(pool.connect_lazy_with(options), LOOK_MAX)
}

/// Counts a query for as long as it is under way.
struct Use<'a>(&'a AtomicUsize);

impl<'a> Use<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
