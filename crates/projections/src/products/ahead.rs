//! What is ahead of its product: stock and orders of a product whose own lane has not brought it yet. Kept until it comes, and
//! moved into its row then.
//!
//! The product may be on its way in another transaction. So whoever adds a product, and whoever finds none, meet in the row that
//! waits here: one of them comes second, and sees what the other has written.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::queue;
use super::stock::Seen;

/// Locks the stock that waits for these products, making it where there is none.
pub(super) async fn stock(connection: &mut PgConnection, skus: &[&str]) -> Result<Seen, sqlx::Error> {
    let rows: Vec<(String, i64, i32)> = sqlx::query_as(
        "INSERT INTO stock_ahead (sku, available, version) SELECT UNNEST($1::text[]), 0, 0 \
         ON CONFLICT (sku) DO UPDATE SET version = stock_ahead.version RETURNING sku, available, version",
    )
    .bind(skus)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(sku, available, version)| (sku, (available, version))).collect())
}

/// More or fewer pieces wait.
pub(super) async fn add_stock(
    connection: &mut PgConnection,
    changes: &BTreeMap<&str, (i64, i32)>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE stock_ahead SET available = stock_ahead.available + new.pieces, version = new.version \
         FROM UNNEST($1::text[], $2::bigint[], $3::int[]) AS new (sku, pieces, version) \
         WHERE stock_ahead.sku = new.sku",
    )
    .bind(changes.keys().copied().collect::<Vec<_>>())
    .bind(changes.values().map(|(pieces, _)| *pieces).collect::<Vec<_>>())
    .bind(changes.values().map(|(_, version)| *version).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes away the stock that waits for products that are there now.
pub(super) async fn take_stock(connection: &mut PgConnection, skus: &[&str]) -> Result<Seen, sqlx::Error> {
    let rows: Vec<(String, i64, i32)> =
        sqlx::query_as("DELETE FROM stock_ahead WHERE sku = ANY($1) RETURNING sku, available, version")
            .bind(skus)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(sku, available, version)| (sku, (available, version))).collect())
}

/// These products, of which none is there, are bought so often more.
pub(super) async fn bought(
    connection: &mut PgConnection,
    orders: &BTreeMap<Uuid, i64>,
) -> Result<(), sqlx::Error> {
    let (products, orders): (Vec<Uuid>, Vec<i64>) = orders.iter().unzip();
    sqlx::query(
        "INSERT INTO bought_ahead (product_id, orders) SELECT * FROM UNNEST($1::uuid[], $2::bigint[]) \
         ON CONFLICT (product_id) DO UPDATE SET orders = bought_ahead.orders + excluded.orders",
    )
    .bind(products)
    .bind(orders)
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves how often these products are bought into their rows, which are there now.
pub(super) async fn move_bought(connection: &mut PgConnection, products: &[Uuid]) -> Result<(), sqlx::Error> {
    let changed: Vec<Uuid> = sqlx::query_scalar(
        "WITH taken AS (DELETE FROM bought_ahead WHERE product_id = ANY($1) RETURNING product_id, orders) \
         UPDATE products SET bought = products.bought + taken.orders FROM taken \
          WHERE products.product_id = taken.product_id AND taken.orders > 0 RETURNING products.product_id",
    )
    .bind(products)
    .fetch_all(&mut *connection)
    .await?;
    queue::add(connection, &changed).await
}

/// What these SKUs have here that their rows have not seen: pieces, and the version that says so.
pub(super) fn unseen<'a>(waiting: &'a Seen, seen: &Seen) -> BTreeMap<&'a str, (i64, i32)> {
    let newer = |sku: &str, version: i32| seen.get(sku).is_some_and(|(_, known)| *known < version);
    let waiting = waiting.iter().map(|(sku, change)| (sku.as_str(), *change));
    waiting.filter(|(sku, (_, version))| newer(sku, *version)).collect()
}
