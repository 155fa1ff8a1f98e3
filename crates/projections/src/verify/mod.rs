//! Whether what is promised is so, on a database that is in use: the log against its own rules, and every row of every read
//! model against a fresh fold of the log.

mod commands;
mod finding;
mod fresh;
mod money;
mod positions;
mod rows;
mod stock;
#[cfg(test)]
mod tests;

use std::time::Duration;

use event_store::{EventStore, Filter, Head, Position, Recorded};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{Error, ReadModel};
use finding::Finding;
use fresh::Fresh;

/// Events read at once.
const PAGE: u32 = 500;
/// Read models that differ are looked at again so often. The log of a person who was just forgotten says less than it did, and a
/// read model may not have come so far yet.
const LOOKS: u32 = 3;
/// How long they get to come that far.
const CATCH_UP: Duration = Duration::from_secs(2);

/// One promise, and whether it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The promise, in a few words.
    pub name: String,
    /// Whether it is kept.
    pub ok: bool,
    /// How much was looked at, or what is wrong.
    pub detail: String,
}

/// Checks every promise. Nothing is changed, nobody is held up, and what happens meanwhile does not matter: log and read models
/// are each looked at as they are at one moment.
///
/// # Errors
/// When the database is away. A promise that is not kept is no error: see [`Check::ok`].
pub async fn run(store: &EventStore, read: &PgPool) -> Result<Vec<Check>, Error> {
    checks(store, read, &crate::models()).await
}

pub(crate) async fn checks(
    store: &EventStore,
    read: &PgPool,
    models: &[Box<dyn ReadModel>],
) -> Result<Vec<Check>, Error> {
    let mut fresh = Fresh::begin(read, models).await?;
    let head = store.head().await?;
    let mut log = Log::default();
    fold(store, head, &mut fresh, Some(&mut log)).await?;
    let mut compared = fresh.compare(head).await?;
    for _ in 1..LOOKS {
        if compared.iter().all(|check| check.ok) {
            break;
        }
        let deadline = Instant::now() + CATCH_UP;
        for model in models {
            crate::reached(read, model.name(), store.head().await?.position, deadline).await?;
        }
        fresh = Fresh::begin(read, models).await?;
        let head = store.head().await?;
        fold(store, head, &mut fresh, None).await?;
        compared = fresh.compare(head).await?;
    }
    let mut checks = log.finish(head);
    checks.push(commands::check(store, head.position).await?);
    checks.extend(compared);
    Ok(checks)
}

/// What the log itself promises.
#[derive(Default)]
struct Log {
    positions: positions::Positions,
    unreadable: Finding,
    stock: stock::Levels,
    money: money::Books,
}

impl Log {
    fn see(&mut self, recorded: &Recorded) {
        self.positions.see(recorded.position, &recorded.stream, recorded.version);
        self.stock.see(recorded);
        self.money.see(recorded);
    }

    fn finish(self, head: Head) -> Vec<Check> {
        let read = self.positions.count();
        let mut checks = self.positions.finish(head.position);
        let detail = format!("{}, with their personal data", finding::counted(read, "event"));
        checks.push(self.unreadable.check("every event can be read", detail));
        checks.push(self.stock.finish());
        checks.extend(self.money.finish());
        checks
    }
}

/// Reads the log once, for all who want to see it.
async fn fold(
    store: &EventStore,
    head: Head,
    fresh: &mut Fresh<'_>,
    mut log: Option<&mut Log>,
) -> Result<(), Error> {
    let mut after = Position(0);
    let mut limit = PAGE;
    while after < head.position {
        let events = match store.read(after, limit, &Filter::default()).await {
            Ok(events) => events,
            Err(error) => {
                let error = Error::from(error);
                if error.is_outage() {
                    return Err(error);
                }
                if limit > 1 {
                    // One of these cannot be read; the others can.
                    limit = 1;
                    continue;
                }
                after = skip(store, after, &error, fresh, log.as_deref_mut()).await?;
                limit = PAGE;
                continue;
            }
        };
        let events: Vec<Recorded> =
            events.into_iter().filter(|event| event.position <= head.position).collect();
        let Some(last) = events.last() else { break };
        after = last.position;
        if let Some(log) = &mut log {
            events.iter().for_each(|recorded| log.see(recorded));
        }
        fresh.apply(&events).await?;
    }
    Ok(())
}

/// Goes past an event that cannot be read, and says so. Answers its position.
async fn skip(
    store: &EventStore,
    after: Position,
    error: &Error,
    fresh: &mut Fresh<'_>,
    log: Option<&mut Log>,
) -> Result<Position, Error> {
    // Its frame can mostly be read all the same, and counts for the positions and versions.
    let raw = store.read_raw(after, 1, &Filter::default()).await.ok().and_then(|mut raw| raw.pop());
    let position = raw.as_ref().map_or(Position(after.0 + 1), |raw| raw.position);
    if let Some(log) = log {
        log.unreadable.found(|| format!("position {position}: {error}"));
        if let Some(raw) = &raw {
            log.positions.see(raw.position, &raw.stream, raw.version);
        }
    }
    fresh.give_up(position, error);
    Ok(position)
}
