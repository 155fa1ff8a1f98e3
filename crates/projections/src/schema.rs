//! Where the rows of read models are, and how they come to be.

use std::time::Duration;

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
    PgPoolOptions::new().max_connections(connections_max).connect_with(finding_tables(options)).await
}

/// No connection for queries lives longer, and so no plan that it keeps.
const PLANS_KEPT: Duration = Duration::from_secs(300);

/// A pool of connections for queries, to be made with [`keeping_plans`]. A busy one is not asked whether it is still there before every
/// query: that costs as much again as a short query does. One that is lost in between fails its query, which is asked again on another.
pub fn for_queries(connections_max: u32) -> PgPoolOptions {
    event_store::trusting(PgPoolOptions::new().max_connections(connections_max).max_lifetime(PLANS_KEPT))
}

/// Connections on which events are folded, as many as the pool has: with the same few statements again and again, lookups by key
/// and writes of arrays. Their plans are kept, and are made so that they fit a table that is large, though it may be empty yet.
pub(crate) fn for_folding(read: &PgPool) -> PgPool {
    let options = PgConnectOptions::clone(&read.connect_options()).options([
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        // Whatever has no index to use counts as dear then; compiling it would be dear indeed.
        ("jit", "off"),
    ]);
    for_queries(read.options().get_max_connections()).connect_lazy_with(options)
}

/// How to make connections for queries. Where one plan is as good for any value, as of a lookup by key, it is made once: half of what
/// such a lookup costs is its plan. One that was made while a table was empty is thrown away when PostgreSQL has counted the rows, and
/// with its connection at the latest.
pub fn keeping_plans(options: PgConnectOptions) -> PgConnectOptions {
    finding_tables(options).options([("plan_cache_mode", "auto")])
}

/// How to make connections on which the read models' tables are found by their bare names.
pub fn finding_tables(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("search_path", SCHEMA),
        // What a crash takes from the rows it takes from the progress as well: no commit here needs to wait for the disk.
        ("synchronous_commit", "off"),
        // A plan that was made while a table was empty reads all of it, and would be kept while the table grows.
        ("plan_cache_mode", "force_custom_plan"),
    ])
}
