//! How to connect for those who ask the log all the time.

use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

/// A connection that has been used within so long is not asked whether it is there before it is used again.
const TRUSTED: Duration = Duration::from_secs(1);
/// One that takes longer to say that it is there leads nowhere: there may be more like it, and somebody waits.
const PING_MAX: Duration = Duration::from_secs(2);

/// Every statement is planned once per connection. What is asked of the log is asked by key or by position, so there is one good plan
/// whatever the values are, and it goes by an index. The planner must be told: a plan that was made while a table was nearly empty reads
/// all of it, and would be kept while the table grows. Not for reports over the whole log.
#[must_use]
pub fn planned_once(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        // The head of the log is read without a condition, which counts as dear now, and what is dear would be compiled first.
        ("jit", "off"),
    ])
}

/// A busy connection is not asked whether it is still there before every statement: that takes as long as a short statement does. One
/// that is lost in between fails its statement, as one that is lost a moment later does.
#[must_use]
pub fn trusting(pool: PgPoolOptions) -> PgPoolOptions {
    pool.test_before_acquire(false).before_acquire(|connection, connection_is| {
        Box::pin(async move {
            if connection_is.idle_for >= TRUSTED {
                let pinged = tokio::time::timeout(PING_MAX, connection.ping()).await;
                pinged.map_err(|_elapsed| sqlx::Error::PoolTimedOut)??;
            }
            Ok(true)
        })
    })
}
