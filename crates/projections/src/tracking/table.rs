//! Reading and writing the rows that a batch touches: one query each, however many rows.

use std::collections::HashMap;

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::Row;

/// The rows of these orders, as far as they are there.
pub(super) async fn load(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Row>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT order_id, version, owner_kind, owner_id, status, steps, shipments, state FROM tracking \
         WHERE order_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row)).collect())
}

/// Writes these rows, over what was there unless that is further.
pub(super) async fn save(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO tracking (order_id, version, owner_kind, owner_id, status, steps, shipments, state) \
         SELECT * FROM UNNEST($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::text[], $6::jsonb[], $7::jsonb[], \
         $8::jsonb[]) \
         ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status, \
         steps = excluded.steps, shipments = excluded.shipments, state = excluded.state \
         WHERE tracking.version < excluded.version",
    )
    .bind(column(rows, |row| row.order_id))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.owner_kind.clone()))
    .bind(column(rows, |row| row.owner_id))
    .bind(column(rows, |row| row.status.clone()))
    .bind(column(rows, |row| Json(row.steps.clone())))
    .bind(column(rows, |row| Json(row.shipments.clone())))
    .bind(column(rows, |row| Json(row.state.clone())))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
