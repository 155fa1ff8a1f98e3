//! Copies are thrown away in time: whoever is forgotten is not forgotten in them.

use std::convert::Infallible;
use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};

use super::copy::{Kind, discard};
use super::{Error, turn};

/// So long a copy is kept.
const KEPT: Duration = Duration::from_hours(24);
/// How often it is looked.
const EVERY: Duration = Duration::from_mins(10);

/// Throws away the old copy of a read model. Answers whether there was one.
///
/// # Errors
/// When somebody is swapping it just now, or the database is away.
pub async fn drop_old(read: &PgPool, model: &'static str) -> Result<bool, Error> {
    let mut held = turn::take(read, model).await?;
    let gone = discard_one(&mut held, model, Kind::Old).await?;
    held.close().await?;
    Ok(gone)
}

/// Throws away copies that are older than a day: old ones, and those of rebuilds that nobody took up again. Answers how many.
///
/// # Errors
/// When the database is away.
pub async fn tidy(read: &PgPool) -> Result<usize, Error> {
    older(read, KEPT).await
}

/// Does that for ever.
pub(crate) async fn keep_tidy(read: &PgPool) -> Infallible {
    loop {
        if let Err(error) = tidy(read).await {
            tracing::warn!(%error, "old copies of read models are not thrown away: {error}");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Throws away copies of that age.
pub(super) async fn older(read: &PgPool, age: Duration) -> Result<usize, Error> {
    let copies: Vec<(String, String)> = sqlx::query_as(
        "SELECT model, kind FROM read.copies WHERE made_at <= now() - make_interval(secs => $1) ORDER BY model, kind",
    )
    .bind(age.as_secs_f64())
    .fetch_all(read)
    .await?;
    let mut gone = 0;
    for (model, kind) in copies {
        let kind = if kind == Kind::Old.name() { Kind::Old } else { Kind::Next };
        let mut connection = PgConnection::connect_with(&read.connect_options()).await?;
        if turn::try_take(&mut connection, &model).await?
            && discard_one(&mut connection, &model, kind).await?
        {
            tracing::info!(model, kind = kind.name(), "the {} copy of {model} is thrown away", kind.name());
            gone += 1;
        }
        connection.close().await?;
    }
    Ok(gone)
}

async fn discard_one(connection: &mut PgConnection, model: &str, kind: Kind) -> Result<bool, Error> {
    let mut transaction = connection.begin().await?;
    let gone = discard(&mut transaction, model, kind).await?;
    transaction.commit().await?;
    Ok(gone)
}
