//! Reading and writing the rows that a batch touches: one query each, however many rows.

use std::collections::HashMap;

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::Row;

/// The rows of these customers, as far as they are there.
pub(super) async fn load(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Row>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT customer_id, version, locale, email, name, phone, addresses, registered_at, updated_at, forgotten_at \
         FROM customers WHERE customer_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.customer_id, row)).collect())
}

/// Writes these rows, over what was there.
pub(super) async fn save(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO customers (customer_id, version, locale, email, name, phone, addresses, registered_at, \
         updated_at, forgotten_at) \
         SELECT * FROM UNNEST($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], \
         $8::timestamptz[], $9::timestamptz[], $10::timestamptz[]) \
         ON CONFLICT (customer_id) DO UPDATE SET version = excluded.version, locale = excluded.locale, \
         email = excluded.email, name = excluded.name, phone = excluded.phone, addresses = excluded.addresses, \
         updated_at = excluded.updated_at, forgotten_at = excluded.forgotten_at",
    )
    .bind(column(rows, |row| row.customer_id))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.locale.clone()))
    .bind(column(rows, |row| row.email.clone()))
    .bind(column(rows, |row| row.name.clone()))
    .bind(column(rows, |row| row.phone.clone()))
    .bind(column(rows, |row| Json(row.addresses.clone())))
    .bind(column(rows, |row| row.registered_at))
    .bind(column(rows, |row| row.updated_at))
    .bind(column(rows, |row| row.forgotten_at))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
