//! The schemas, and how they come to be.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

static LOG: Migrator = sqlx::migrate!("../../migrations/log");
static VAULT: Migrator = sqlx::migrate!("../../migrations/vault");

/// Brings the log and the vault to this program's version.
///
/// # Errors
/// When the database is away, or holds migrations that this program does not know.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    apply(pool, "log", &LOG).await?;
    apply(pool, "vault", &VAULT).await
}

/// Applies migrations to one schema. Each schema has its own list of what was applied, so that none disturbs another, and so
/// that files without qualified names land in it.
pub async fn apply(pool: &PgPool, schema: &'static str, migrator: &Migrator) -> Result<(), MigrateError> {
    let options = pool.connect_options();
    // A connection of its own: the search path must not leak into the pool.
    let mut connection = PgConnection::connect_with(&options).await?;
    // Two nodes that start at once take turns here; `IF NOT EXISTS` alone can fail when both try.
    sqlx::query("SELECT pg_advisory_lock(7236482)").execute(&mut connection).await?;
    sqlx::query(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {schema}")))
        .execute(&mut connection)
        .await?;
    sqlx::query(AssertSqlSafe(format!("SET search_path TO {schema}"))).execute(&mut connection).await?;
    let applied = migrator.run(&mut connection).await;
    connection.close().await?;
    applied
}
