//! Reading and writing the rows that a batch touches: one query each, however many rows.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::row::{Alert, Row};

/// The rows of these items, as far as they are there.
pub(super) async fn load(
    connection: &mut PgConnection,
    skus: &[&str],
) -> Result<HashMap<String, Row>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT sku, product_id, version, on_hand, reserved, reorder_point, updated_at FROM stock \
         WHERE sku = ANY($1)",
    )
    .bind(skus)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.sku.clone(), row)).collect())
}

/// Writes these rows, over what was there.
pub(super) async fn save(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO stock (sku, product_id, version, on_hand, reserved, reorder_point, updated_at) \
         SELECT * FROM UNNEST($1::text[], $2::uuid[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], \
         $7::timestamptz[]) \
         ON CONFLICT (sku) DO UPDATE SET version = excluded.version, on_hand = excluded.on_hand, \
         reserved = excluded.reserved, reorder_point = excluded.reorder_point, updated_at = excluded.updated_at",
    )
    .bind(column(rows, |row| row.sku.clone()))
    .bind(column(rows, |row| row.product_id))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.on_hand))
    .bind(column(rows, |row| row.reserved))
    .bind(column(rows, |row| row.reorder_point))
    .bind(column(rows, |row| row.updated_at))
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds these alerts.
pub(super) async fn raise(connection: &mut PgConnection, alerts: &[Alert]) -> Result<(), sqlx::Error> {
    if alerts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO replenishment_alerts (position, sku, available, reorder_point, raised_at) \
         SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[]) \
         ON CONFLICT DO NOTHING",
    )
    .bind(column(alerts, |alert| alert.position))
    .bind(column(alerts, |alert| alert.sku.clone()))
    .bind(column(alerts, |alert| alert.available))
    .bind(column(alerts, |alert| alert.reorder_point))
    .bind(column(alerts, |alert| alert.raised_at))
    .execute(connection)
    .await?;
    Ok(())
}

/// Closes the open alerts of these items that were raised before a position, at a time. The earliest that closes one counts.
pub(super) async fn resolve(
    connection: &mut PgConnection,
    resolved: &[(String, i64, DateTime<Utc>)],
) -> Result<(), sqlx::Error> {
    if resolved.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE replenishment_alerts a SET resolved_at = \
             (SELECT r.at FROM UNNEST($1::text[], $2::bigint[], $3::timestamptz[]) r (sku, position, at) \
               WHERE r.sku = a.sku AND r.position > a.position ORDER BY r.position LIMIT 1) \
          WHERE a.resolved_at IS NULL AND a.sku = ANY ($1)",
    )
    .bind(resolved.iter().map(|(sku, ..)| sku.as_str()).collect::<Vec<_>>())
    .bind(resolved.iter().map(|(_, position, _)| *position).collect::<Vec<_>>())
    .bind(resolved.iter().map(|(.., at)| *at).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
