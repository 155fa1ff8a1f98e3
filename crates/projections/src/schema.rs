//! Where the rows of read models are, and how they come to be.

use sqlx::PgPool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

static READ: Migrator = sqlx::migrate!("../../migrations/read");

/// The schema of the read models.
pub(crate) const SCHEMA: &str = "read";

/// Brings the read models' tables to this program's version.
///
/// # Errors
/// When the database is away, or holds migrations that this program does not know.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    event_store::schema::apply(pool, SCHEMA, &READ).await
}

/// Connections on which the read models' tables are found by their bare names.
pub async fn connect(options: PgConnectOptions, connections_max: u32) -> Result<PgPool, sqlx::Error> {
    let options = options.options([
        ("search_path", SCHEMA),
        // What a crash takes from the rows it takes from the progress as well: no commit here needs to wait for the disk.
        ("synchronous_commit", "off"),
        // A plan that was made while a table was empty reads all of it, and would be kept while the table grows.
        ("plan_cache_mode", "force_custom_plan"),
    ]);
    PgPoolOptions::new().max_connections(connections_max).connect_with(options).await
}
