//! Reading and writing the rows that a batch touches: one query each, however many rows.

use std::collections::HashMap;

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::Row;

/// The rows of these carts, as far as they are there.
pub(super) async fn load(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Row>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT cart_id, version, owner_kind, owner_id, status, order_id, currency, locale, items, opened_at, \
         updated_at FROM carts WHERE cart_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.cart_id, row)).collect())
}

/// Writes these rows, over what was there unless that is further.
pub(super) async fn save(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO carts (cart_id, version, owner_kind, owner_id, status, order_id, currency, locale, items, \
         opened_at, updated_at) \
         SELECT * FROM UNNEST($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], \
         $8::text[], $9::jsonb[], $10::timestamptz[], $11::timestamptz[]) \
         ON CONFLICT (cart_id) DO UPDATE SET version = excluded.version, status = excluded.status, \
         order_id = excluded.order_id, items = excluded.items, updated_at = excluded.updated_at \
         WHERE carts.version < excluded.version",
    )
    .bind(column(rows, |row| row.cart_id))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.owner_kind.clone()))
    .bind(column(rows, |row| row.owner_id))
    .bind(column(rows, |row| row.status.clone()))
    .bind(column(rows, |row| row.order_id))
    .bind(column(rows, |row| row.currency.clone()))
    .bind(column(rows, |row| row.locale.clone()))
    .bind(column(rows, |row| Json(row.items.clone())))
    .bind(column(rows, |row| row.opened_at))
    .bind(column(rows, |row| row.updated_at))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
