//! One at a time: a rebuild or a rollback of a read model holds a lock of its own connection.

use std::time::Duration;

use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::Instant;

use super::Error;

/// A rebuild that was killed holds its lock until PostgreSQL notices.
const LONGEST: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(50);

/// Takes the turn of a model; it ends with the connection.
pub(super) async fn take(read: &PgPool, model: &'static str) -> Result<PgConnection, Error> {
    let mut connection = PgConnection::connect_with(&read.connect_options()).await?;
    let began = Instant::now();
    while !try_take(&mut connection, model).await? {
        if began.elapsed() > LONGEST {
            return Err(Error::Busy { model });
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(connection)
}

/// Takes it when nobody has it.
pub(super) async fn try_take(connection: &mut PgConnection, model: &str) -> Result<bool, Error> {
    let taken = sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
        .bind(format!("jumun: copies of {model}"))
        .fetch_one(connection)
        .await?;
    Ok(taken)
}
