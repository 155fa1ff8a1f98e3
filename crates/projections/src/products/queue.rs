//! What is still to be written to a search engine outside, kept with the rows: whatever changes what a document shows queues its
//! product in the same transaction, so that no crash loses a change. Nothing is queued while no search engine is fed.

use event_store::Position;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Reads;

/// Queues these products.
pub(super) async fn add(connection: &mut PgConnection, products: &[Uuid]) -> Result<(), sqlx::Error> {
    if products.is_empty() {
        return Ok(());
    }
    sqlx::query("SELECT read.queue_for_search($1)").bind(products).execute(connection).await?;
    Ok(())
}

/// Queues every product: for when all rows were put in the place of others, as a rebuild does.
///
/// # Errors
/// When the database is away.
pub async fn queue_all(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT read.queue_for_search(array(SELECT product_id FROM products))")
        .execute(connection)
        .await?;
    Ok(())
}

/// The place in the log that a search engine has reached in everything it shows: the log's epoch, and the position there. `None`:
/// it has reached none yet, or there is no search engine.
///
/// # Errors
/// When the database is away.
pub async fn search_reached(read: impl Reads<'_>) -> Result<Option<(Uuid, Position)>, sqlx::Error> {
    let reached: Option<(Uuid, i64)> =
        sqlx::query_as("SELECT epoch, position FROM read.search_progress WHERE position IS NOT NULL")
            .fetch_optional(read)
            .await?;
    Ok(reached.map(|(epoch, position)| (epoch, position.into())))
}
