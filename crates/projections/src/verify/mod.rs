//! Whether what is promised is so, on a database that is in use: the log against its own rules, and every row of every read
//! model against a fresh fold of the log.

mod commands;
mod finding;
mod fresh;
mod log;
mod money;
mod pages;
mod parked;
mod positions;
pub(crate) mod rows;
mod stock;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use event_store::EventStore;
use sqlx::PgPool;
use tokio::time::Instant;

use crate::{Error, ReadModel};

/// Read models that differ are looked at again so often. The log says less of a person who was just forgotten than it did, and a
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

/// Checks every promise. Nothing is changed, nobody is held up, and what happens meanwhile does not matter: each read model is
/// compared as it is at one moment with the log up to there.
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
    let mut checks = log::checks(store).await?;
    let mut compared = fresh::checks(store, read, models).await?;
    for _ in 1..LOOKS {
        if compared.iter().all(|check| check.ok) {
            break;
        }
        let (head, deadline) = (store.head().await?.position, Instant::now() + CATCH_UP);
        for model in models {
            crate::reached(read, model.name(), head, deadline).await?;
        }
        compared = fresh::checks(store, read, models).await?;
    }
    checks.extend(compared);
    checks.push(parked::check(read, models).await?);
    Ok(checks)
}
