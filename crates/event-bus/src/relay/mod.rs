//! The relay: publishes the log to Kafka.
//!
//! Any number may run; one leads, by a lease in PostgreSQL with a term that grows. How far the log is published stands in the
//! same database and can only be moved by the term that leads. Nothing else rests on there being one leader: a relay that was
//! frozen may send what it still has, at any time. Every record says what came before it in its partition, so a consumer by the
//! header rule (docs/following-kafka.md) reads each partition as the log whatever is doubled, and this relay itself reads the
//! end of every partition by that rule before it publishes the first record.

mod error;
mod leading;
mod lease;
mod place;
mod publisher;
mod reader;
mod tail;
mod window;

use std::time::Duration;

use event_store::EventStore;
use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use error::Error;

use self::leading::{Ended, Leading};
use self::lease::{Candidate, Lead};
use self::place::Layout;
use crate::connection::Kafka;
use crate::topics;

/// The first pause after something that passes; each further one is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/relay");

/// How a relay is set up.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long the lead outlives its relay. Renewed several times as often.
    pub lease: Duration,
    /// How often the checkpoint is moved while there is something to move.
    pub checkpoint_every: Duration,
    /// The shortest time between watermarks, when all is published.
    pub watermark_pause: Duration,
    /// The time between watermarks while there is more to publish.
    pub watermark_every: Duration,
    /// Events that are sent and not acknowledged, at most.
    pub in_flight_max: usize,
    /// How long a clean stop waits for what is under way.
    pub stop_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            checkpoint_every: Duration::from_millis(100),
            watermark_pause: Duration::from_millis(20),
            watermark_every: Duration::from_millis(200),
            in_flight_max: 20_000,
            stop_max: Duration::from_secs(3),
        }
    }
}

/// Brings the schema `relay` to this program's version.
///
/// # Errors
/// When the database is away, or holds migrations that this program does not know.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    event_store::schema::apply(pool, "relay", &MIGRATIONS).await
}

struct Relay {
    candidate: Candidate,
    store: EventStore,
    kafka: Kafka,
    layout: Layout,
    options: Options,
    shutdown: CancellationToken,
}

/// Publishes the log whenever this relay leads, until `shutdown` is cancelled; what is under way then is finished, or left to the
/// next one. Dropping the future instead is like a crash.
///
/// # Errors
/// When somebody must look: see [`Error::passes`]. A database or a Kafka that is away is waited for.
pub async fn run(
    store: EventStore,
    kafka: Kafka,
    options: Options,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let (pool, topics) = (store.pool().clone(), kafka.topics.clone());
    let candidate = Candidate { pool, relay: Uuid::now_v7(), topics, lease: options.lease };
    let layout = Layout::of(&kafka);
    let relay = Relay { candidate, store, kafka, layout, options, shutdown };
    metrics::gauge!("relay_leads").set(0.0);
    let mut pause = PAUSE_MIN;
    while !relay.shutdown.is_cancelled() {
        let ended = relay.turn(&mut pause).await;
        metrics::gauge!("relay_leads").set(0.0);
        match ended {
            Ok(()) => {}
            Err(error) if error.passes() => {
                tracing::warn!(%error, "the relay begins again: {error}");
                relay.pause(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Relay {
    /// Leads for as long as possible, or waits a while when another relay does.
    async fn turn(&self, pause: &mut Duration) -> Result<(), Error> {
        let Some(lead) = self.candidate.take(&self.layout).await? else {
            self.pause(self.options.lease / 4).await;
            return Ok(());
        };
        tracing::info!(
            relay = %self.candidate.relay, term = lead.term, position = %lead.position,
            "this relay leads, from position {}", lead.position
        );
        let ended = self.lead(&lead, pause).await;
        if !matches!(ended, Ok(Ended::Superseded)) {
            // After an error, too: whoever is better off may go on.
            if let Err(error) = self.candidate.release(lead.term).await {
                tracing::warn!(%error, "the lead could not be given up; it ends with its lease");
            }
        }
        match ended? {
            Ended::Superseded => tracing::warn!(term = lead.term, "another relay has taken the lead"),
            Ended::Stopped => {}
        }
        Ok(())
    }

    async fn lead(&self, lead: &Lead, pause: &mut Duration) -> Result<Ended, Error> {
        check(lead)?;
        let begun = async {
            topics::prepare(&self.kafka).await?;
            Leading::begin(self, lead).await
        };
        let begun = tokio::select! {
            () = self.shutdown.cancelled() => return Ok(Ended::Stopped),
            ended = self.keep(lead) => return ended,
            begun = begun => begun?,
        };
        metrics::gauge!("relay_leads").set(1.0);
        *pause = PAUSE_MIN;
        begun.run().await
    }

    /// Keeps the lead while it is looked where the partitions end, which may take its time.
    async fn keep(&self, lead: &Lead) -> Result<Ended, Error> {
        loop {
            tokio::time::sleep(self.options.lease / 4).await;
            if !self.candidate.move_to(lead.term, lead.position, &[]).await?.led {
                return Ok(Ended::Superseded);
            }
        }
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Whether the log is the one that was published.
fn check(lead: &Lead) -> Result<(), Error> {
    let (known, found, position) = (lead.epoch, lead.log.epoch, lead.position);
    if known != found {
        return Err(Error::Epoch { known, found, position });
    }
    if position > lead.log.position {
        return Err(Error::Behind { published: position, head: lead.log.position });
    }
    Ok(())
}
