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
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT order_id, version, owner_kind, owner_id, status, currency, total, refunded, placed_at, updated_at, \
         document, state, subject, contact, address FROM orders WHERE order_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row)).collect())
}

/// Writes these rows, over what was there.
pub(super) async fn save(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO orders (order_id, version, owner_kind, owner_id, status, currency, total, refunded, placed_at, \
         updated_at, document, state, subject, contact, address) \
         SELECT * FROM UNNEST($1::uuid[], $2::int[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], \
         $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::jsonb[], $12::jsonb[], $13::uuid[], $14::jsonb[], \
         $15::jsonb[]) \
         ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, status = excluded.status, \
         refunded = excluded.refunded, updated_at = excluded.updated_at, document = excluded.document, \
         state = excluded.state, contact = excluded.contact, address = excluded.address",
    )
    .bind(column(rows, |row| row.order_id))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.owner_kind.clone()))
    .bind(column(rows, |row| row.owner_id))
    .bind(column(rows, |row| row.status.clone()))
    .bind(column(rows, |row| row.currency.clone()))
    .bind(column(rows, |row| row.total))
    .bind(column(rows, |row| row.refunded))
    .bind(column(rows, |row| row.placed_at))
    .bind(column(rows, |row| row.updated_at))
    .bind(column(rows, |row| Json(row.document.clone())))
    .bind(column(rows, |row| Json(row.state.clone())))
    .bind(column(rows, |row| row.subject))
    .bind(column(rows, |row| row.contact.clone().map(Json)))
    .bind(column(rows, |row| row.address.clone().map(Json)))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Writes down where in the log orders are spoken of: pairs of order and position.
pub(super) async fn mention(
    connection: &mut PgConnection,
    mentions: &[(Uuid, i64)],
) -> Result<(), sqlx::Error> {
    if mentions.is_empty() {
        return Ok(());
    }
    let (orders, positions): (Vec<Uuid>, Vec<i64>) = mentions.iter().copied().unzip();
    sqlx::query(
        "INSERT INTO order_mentions (order_id, position) SELECT * FROM UNNEST($1::uuid[], $2::bigint[]) \
         ON CONFLICT DO NOTHING",
    )
    .bind(orders)
    .bind(positions)
    .execute(connection)
    .await?;
    Ok(())
}

/// Which of these subjects have asked to be forgotten.
pub(super) async fn forgotten(
    connection: &mut PgConnection,
    subjects: &[Uuid],
) -> Result<Vec<Uuid>, sqlx::Error> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT subject FROM forgotten_buyers WHERE subject = ANY($1)")
        .bind(subjects)
        .fetch_all(connection)
        .await
}

/// Remembers that these subjects asked to be forgotten, and forgets what their orders hold.
pub(super) async fn forget(connection: &mut PgConnection, subjects: &[Uuid]) -> Result<(), sqlx::Error> {
    if subjects.is_empty() {
        return Ok(());
    }
    sqlx::query("INSERT INTO forgotten_buyers (subject) SELECT UNNEST($1::uuid[]) ON CONFLICT DO NOTHING")
        .bind(subjects)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "UPDATE orders SET contact = NULL, address = NULL \
         WHERE subject = ANY($1) AND (contact IS NOT NULL OR address IS NOT NULL)",
    )
    .bind(subjects)
    .execute(connection)
    .await?;
    Ok(())
}
