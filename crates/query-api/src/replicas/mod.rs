//! The databases that queries are answered from: the read primary, which projectors write, and physical replicas of it.
//!
//! A query goes to a replica that is well; one with a `Consistency-Token` to a replica that has reached it, and to the primary
//! when none has in time. What fails on the way is asked again elsewhere: a query changes nothing.

mod choice;
mod history;
mod lost;
mod server;
mod watching;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use event_store::{Head, Patient};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use choice::Asked;
use server::{Server, State};

/// The read primary and its replicas. Cheap to clone.
#[derive(Clone)]
pub struct Replicas(Arc<Set>);

/// When a replica is asked, and how long it is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// A replica that does not have what the primary had so long ago is left out until it has.
    pub lag_max: Duration,
    /// A query with a token waits so long for a replica that has reached it. Then the primary is asked.
    pub replica_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { lag_max: Duration::from_secs(10), replica_wait: Duration::from_millis(150) }
    }
}

struct Set {
    primary: Server,
    replicas: Vec<Server>,
    patience: Patience,
    /// Which replica is first in line among those that are used equally.
    turn: AtomicUsize,
}

impl Set {
    fn server(&self, number: usize) -> &Server {
        number.checked_sub(1).and_then(|index| self.replicas.get(index)).unwrap_or(&self.primary)
    }
}

impl From<PgPool> for Replicas {
    /// The primary alone: on one machine.
    fn from(primary: PgPool) -> Self {
        Self::new(primary, Vec::new(), 0, Patience::default())
    }
}

impl Replicas {
    /// The primary, and replicas with so many connections each. Every address is one server's own: behind one that leads now to
    /// this server and now to that, nobody could know which has reached what. A replica need not be there yet.
    pub fn new(
        primary: PgPool,
        replicas: Vec<PgConnectOptions>,
        connections_max: u32,
        patience: Patience,
    ) -> Self {
        let numbered = (1..).zip(replicas);
        let replicas: Vec<_> =
            numbered.map(|(number, options)| Server::replica(number, options, connections_max)).collect();
        let primary = Server::primary(primary, !replicas.is_empty());
        Self(Arc::new(Set { primary, replicas, patience, turn: AtomicUsize::new(0) }))
    }

    /// Keeps an eye on every server until `shutdown`. Without replicas there is nothing to choose, and nobody looks.
    pub(crate) fn watch(&self, shutdown: &CancellationToken) {
        watching::watch(&self.0, shutdown);
    }

    /// Whether there is a server that queries can be answered from.
    pub async fn can_answer(&self) -> bool {
        let well = |server: &Server| server.state() != State::Away;
        self.0.replicas.iter().any(well)
            || sqlx::query("SELECT 1").execute(&self.0.primary.pool).await.is_ok()
    }

    /// Asks a question of a server whose read models have come to a place, where one is given, within that time.
    ///
    /// # Errors
    /// [`Error::Lagging`]: none came there in time. [`Error::OtherEpoch`]: the read models are of another log than the place.
    /// What the last server that was asked failed with, when all did.
    pub(crate) async fn ask<T, E, F>(
        &self,
        place: Option<Head>,
        models: &[&'static str],
        longest: Duration,
        question: impl Fn(Patient) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, E>>,
        Error: From<E>,
    {
        let mut asked = Asked::new(place, models, Instant::now() + longest);
        let mut late = 0;
        while let Some(chosen) = self.0.choose(&asked).await? {
            match chosen.server.answer(&question).await {
                Ok(answer) if place.is_none() || chosen.is_sure() => {
                    chosen.server.has_answered();
                    return Ok(answer);
                }
                Ok(_) => asked.may_repeat(chosen.server),
                Err(error) => {
                    // A question that takes two servers too long takes the others too long as well.
                    late += u32::from(lost::is_late(&error));
                    if late > 1 || !lost::is_elsewhere_better(&error) {
                        return Err(error);
                    }
                    asked.failed(chosen.server, error);
                }
            }
        }
        Err(asked.failure())
    }
}
