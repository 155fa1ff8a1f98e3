//! Reading and writing the rows that a batch touches: one query each, however many rows.

use std::collections::HashMap;

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::Row;

/// The rows of these payments, as far as they are there.
pub(super) async fn load(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Row>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT payment_id, order_id, version, status, gateway, gateway_reference, currency, amount, captured, \
         refunded, disputed, attempts, state, requested_at, updated_at FROM payments WHERE payment_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.payment_id, row)).collect())
}

/// Writes these rows, over what was there unless that is further.
pub(super) async fn save(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO payments (payment_id, order_id, version, status, gateway, gateway_reference, currency, amount, \
         captured, refunded, disputed, attempts, state, requested_at, updated_at) \
         SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], \
         $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::jsonb[], $13::jsonb[], $14::timestamptz[], \
         $15::timestamptz[]) \
         ON CONFLICT (payment_id) DO UPDATE SET version = excluded.version, status = excluded.status, \
         gateway_reference = excluded.gateway_reference, captured = excluded.captured, refunded = excluded.refunded, \
         disputed = excluded.disputed, attempts = excluded.attempts, state = excluded.state, \
         updated_at = excluded.updated_at \
         WHERE payments.version < excluded.version",
    )
    .bind(column(rows, |row| row.payment_id))
    .bind(column(rows, |row| row.order_id))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.status.clone()))
    .bind(column(rows, |row| row.gateway.clone()))
    .bind(column(rows, |row| row.gateway_reference.clone()))
    .bind(column(rows, |row| row.currency.clone()))
    .bind(column(rows, |row| row.amount))
    .bind(column(rows, |row| row.captured))
    .bind(column(rows, |row| row.refunded))
    .bind(column(rows, |row| row.disputed))
    .bind(column(rows, |row| Json(row.attempts.clone())))
    .bind(column(rows, |row| Json(row.state.clone())))
    .bind(column(rows, |row| row.requested_at))
    .bind(column(rows, |row| row.updated_at))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
