//! The process managers: what must happen next, made to happen. The log's feed goes in, [`domain::process::react`] names
//! steps, each is written down together with the position in the log, and is done until it is done.
//!
//! Two runners may run on one database. One of them leads: it takes in. Both do steps; a step is claimed for a while, and taken
//! over when whoever claimed it is gone. Every effect of a step is idempotent, so that a step done twice is done once: a gateway
//! is asked under an id of ours, a command has a name that follows from the step.

mod execute;
mod finish;
mod in_flight;
mod intake;
mod options;
mod recent;
pub mod recovery;
mod steps;
mod tidy;
mod unread;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use command_api::accounts::Accounts;
use command_api::engine::Engine;
use event_store::{EventStore, Patient, Position};
use payments::Gateways;
use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::in_flight::InFlight;

pub use options::{CaptureWhen, Options};

/// Intake, claims, endings, and one for what is not urgent.
const CONNECTIONS_MAX: u32 = 4;

/// A database that does not answer for so long is away: what is asked of it is asked again, and a stop does not wait for it.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// A statement that takes longer went over a connection that leads nowhere.
const STATEMENT_MAX: Duration = Duration::from_secs(10);

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/process");

/// Why the process managers have stopped. Nothing is lost: started again, they go on where they were.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log was restored, or failed over with loss. Somebody must say from where to go on: `jumun recover process-managers`
    /// ([`recovery`]), then start again.
    #[error(
        "the process managers have followed the log of epoch {known} up to position {position}, but its epoch is {found} now: jumun recover process-managers"
    )]
    Epoch {
        /// The epoch that was followed.
        known: Uuid,
        /// The epoch that the log has.
        found: Uuid,
        /// How far it was followed.
        position: Position,
    },
    /// The log is not as a log should be: look at it.
    #[error("the log cannot be followed: {0}")]
    Log(#[from] event_store::Error),
}

/// Brings the schema `process` to this program's version.
///
/// # Errors
/// When the database is away, or holds migrations that this program does not know.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    event_store::schema::apply(pool, "process", &MIGRATIONS).await
}

/// What all parts of a running process manager share.
struct Runner {
    /// Who claims.
    id: Uuid,
    store: EventStore,
    /// Connections to the schema `process`.
    pool: Patient,
    engine: Engine,
    gateways: Gateways,
    accounts: Accounts,
    options: Options,
    /// What was claimed and has not ended.
    in_flight: InFlight,
    /// There may be steps that are due.
    due: Notify,
    /// Places among those under way: who does a step holds one.
    places: Arc<Semaphore>,
    /// Calls that one gateway may have under way: less than all, so that a slow one leaves room for the others.
    calls: HashMap<String, Semaphore>,
    shutdown: CancellationToken,
}

/// Runs process managers until `shutdown` is cancelled; what is under way then is finished, or left to the next one.
/// Dropping the future instead is like a crash: claims end with their lease.
///
/// # Errors
/// When the log cannot be followed any more. A database that is away is waited for.
pub async fn run(
    store: EventStore,
    engine: Engine,
    gateways: Gateways,
    accounts: Accounts,
    options: Options,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let calls_max = (options.in_flight_max * 3 / 4).max(1);
    let calls = gateways.names().map(|name| (name.to_owned(), Semaphore::new(calls_max))).collect();
    let (id, pool, due) = (Uuid::now_v7(), connections(&store), Notify::new());
    let in_flight = InFlight::default();
    let places = Arc::new(Semaphore::new(options.in_flight_max));
    let runner = Arc::new(Runner {
        id,
        store,
        pool,
        engine,
        gateways,
        accounts,
        options,
        in_flight,
        due,
        places,
        calls,
        shutdown,
    });
    let (ended, finished) = mpsc::channel(options.in_flight_max.max(1));
    let (hand, handed) = mpsc::unbounded_channel();
    let done = tokio::try_join!(
        intake::run(&runner, &hand),
        async {
            work::run(&runner, ended, handed).await;
            Ok(())
        },
        async {
            finish::run(&runner, finished).await;
            Ok(())
        },
        async {
            tidy::run(&runner).await;
            Ok(())
        },
    );
    if let Err(error) = steps::release(&runner.pool, runner.id).await {
        tracing::warn!(%error, "claims could not be given back; they end with their lease");
    }
    done.map(|_| ())
}

/// Connections of their own, so that a busy engine does not keep claims from being renewed. What they write need not be on the
/// disk before it counts: steps and checkpoint are written together, so what a crash of the database takes back is taken in, or
/// done, once more, to no other effect.
fn connections(store: &EventStore) -> Patient {
    let options = store.pool().connect_options().as_ref().clone();
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(ANSWER_MAX);
    let options = event_store::planned_once(options);
    let options = options.options([("synchronous_commit", "off")]);
    Patient::new(event_store::trusting(pool).connect_lazy_with(options), STATEMENT_MAX)
}
