//! Reading and writing the rows that a batch touches: one query each, however many rows.

use std::collections::{BTreeMap, HashMap};

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::row::Row;

/// So many locks stand for all subjects.
const LOCKS: u128 = 64;

/// The rows of these orders, as far as they are there.
pub(super) async fn load(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Row>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT order_id, version, owner_kind, owner_id, status, currency, total, refunded, placed_at, updated_at, \
         document, state, subject, contact, address FROM orders WHERE order_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row)).collect())
}

/// Writes these rows, over what was there unless that is further. Contact and address stay as they are: only forgetting changes them, maybe just now.
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
         state = excluded.state \
         WHERE orders.version < excluded.version",
    )
    .bind(column(rows, |row| row.order_id))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.owner_kind.as_str()))
    .bind(column(rows, |row| row.owner_id))
    .bind(column(rows, |row| row.status.as_str()))
    .bind(column(rows, |row| row.currency.as_str()))
    .bind(column(rows, |row| row.total))
    .bind(column(rows, |row| row.refunded))
    .bind(column(rows, |row| row.placed_at))
    .bind(column(rows, |row| row.updated_at))
    .bind(column(rows, |row| Json(&row.document)))
    .bind(column(rows, |row| Json(&row.state)))
    .bind(column(rows, |row| row.subject))
    .bind(column(rows, |row| row.contact.as_ref().map(Json)))
    .bind(column(rows, |row| row.address.as_ref().map(Json)))
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what events can change into rows that are there.
pub(super) async fn update(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE orders o SET version = n.version, status = n.status, refunded = n.refunded, updated_at = n.updated_at, \
         document = n.document, state = n.state \
         FROM UNNEST($1::uuid[], $2::int[], $3::text[], $4::bigint[], $5::timestamptz[], $6::jsonb[], $7::jsonb[]) \
              n (order_id, version, status, refunded, updated_at, document, state) \
         WHERE o.order_id = n.order_id AND o.version < n.version",
    )
    .bind(column(rows, |row| row.order_id))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.status.as_str()))
    .bind(column(rows, |row| row.refunded))
    .bind(column(rows, |row| row.updated_at))
    .bind(column(rows, |row| Json(&row.document)))
    .bind(column(rows, |row| Json(&row.state)))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<'a, T>(rows: &'a [Row], of: impl Fn(&'a Row) -> T) -> Vec<T> {
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

/// Locks that keep the orders of a person and the forgetting of them apart, when they come in lanes of their own: many may place
/// orders at once, and nobody while their subject is forgotten. A few locks for all subjects, always taken in one order.
pub(super) async fn keep_apart(
    connection: &mut PgConnection,
    placed: &[Uuid],
    forgotten: &[Uuid],
) -> Result<(), sqlx::Error> {
    let lock = |subject: &Uuid| (subject.as_u128() % LOCKS) as i32;
    let mut locks: BTreeMap<i32, bool> = placed.iter().map(|subject| (lock(subject), false)).collect();
    locks.extend(forgotten.iter().map(|subject| (lock(subject), true)));
    if locks.is_empty() {
        return Ok(());
    }
    let (numbers, alone): (Vec<i32>, Vec<bool>) = locks.into_iter().unzip();
    // The table they stand for is part of their name: a fold of the same events into other tables waits for nobody.
    sqlx::query(
        "SELECT CASE WHEN l.alone THEN pg_advisory_xact_lock('forgotten_buyers'::regclass::oid::int, l.number)::text \
         ELSE pg_advisory_xact_lock_shared('forgotten_buyers'::regclass::oid::int, l.number)::text END \
         FROM UNNEST($1::int[], $2::bool[]) AS l (number, alone)",
    )
    .bind(numbers)
    .bind(alone)
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
         WHERE order_id IN (SELECT order_id FROM orders WHERE subject = ANY($1) \
                            AND (contact IS NOT NULL OR address IS NOT NULL) ORDER BY order_id FOR NO KEY UPDATE)",
    )
    .bind(subjects)
    .execute(connection)
    .await?;
    Ok(())
}
