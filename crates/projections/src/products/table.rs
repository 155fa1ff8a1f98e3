//! Reading and writing the rows that a batch touches: one query per table, however many rows.

use std::collections::HashMap;

use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::fold;
use super::row::Row;
use super::stock::Seen;

macro_rules! columns {
    () => {
        "product_id, sku, version, published, category, brand, name, description, attributes, prices, images, \
         available, created_at, updated_at"
    };
}

/// The rows of these products, as far as they are there.
pub(super) async fn load(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Row>, sqlx::Error> {
    let sql = concat!("SELECT ", columns!(), " FROM products WHERE product_id = ANY($1)");
    let rows: Vec<Row> = sqlx::query_as(sql).bind(ids).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.product_id, row)).collect())
}

/// Locks the rows of these products, and of those with these SKUs, until the end of the transaction: they are changed by the lanes
/// of the catalogue, of stock and of orders. Always in one order. Answers the SKUs of those that are there.
pub(super) async fn lock(
    connection: &mut PgConnection,
    ids: &[Uuid],
    skus: &[&str],
) -> Result<Vec<String>, sqlx::Error> {
    if ids.is_empty() && skus.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(
        "SELECT sku FROM products WHERE product_id = ANY($1) OR sku = ANY($2) \
         ORDER BY product_id FOR NO KEY UPDATE",
    )
    .bind(ids)
    .bind(skus)
    .fetch_all(connection)
    .await
}

/// What is known of the stock of these SKUs, as far as their products are there. Locks the rows, those too that have come since
/// [`lock`] looked: else another lane could publish one of them while it is counted here as it was.
pub(super) async fn stock(connection: &mut PgConnection, skus: &[&str]) -> Result<Seen, sqlx::Error> {
    let rows: Vec<(String, i64, i32)> = sqlx::query_as(
        "SELECT sku, available, stock_version FROM products WHERE sku = ANY($1) \
         ORDER BY product_id FOR NO KEY UPDATE",
    )
    .bind(skus)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(sku, available, version)| (sku, (available, version))).collect())
}

/// The rows of the products with these SKUs.
pub(super) async fn load_by_sku(
    connection: &mut PgConnection,
    skus: &[&str],
) -> Result<Vec<Row>, sqlx::Error> {
    if skus.is_empty() {
        return Ok(Vec::new());
    }
    let sql = concat!("SELECT ", columns!(), " FROM products WHERE sku = ANY($1)");
    sqlx::query_as(sql).bind(skus).fetch_all(connection).await
}

/// Writes these rows, over what was there. What stock and orders change stays as it is.
pub(super) async fn save(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    save_products(connection, rows).await?;
    save_texts(connection, rows).await
}

async fn save_products(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO products (product_id, sku, version, published, category, brand, name, description, sort_names, \
         attributes, prices, images, created_at, updated_at) \
         SELECT * FROM UNNEST($1::uuid[], $2::text[], $3::int[], $4::bool[], $5::text[], $6::text[], $7::jsonb[], \
         $8::jsonb[], $9::jsonb[], $10::jsonb[], $11::jsonb[], $12::jsonb[], $13::timestamptz[], $14::timestamptz[]) \
         ON CONFLICT (product_id) DO UPDATE SET version = excluded.version, published = excluded.published, \
         category = excluded.category, brand = excluded.brand, name = excluded.name, \
         description = excluded.description, sort_names = excluded.sort_names, attributes = excluded.attributes, \
         prices = excluded.prices, images = excluded.images, updated_at = excluded.updated_at",
    )
    .bind(column(rows, |row| row.product_id))
    .bind(column(rows, |row| row.sku.clone()))
    .bind(column(rows, |row| row.version))
    .bind(column(rows, |row| row.published))
    .bind(column(rows, |row| row.category.clone()))
    .bind(column(rows, |row| row.brand.clone()))
    .bind(column(rows, |row| Json(row.name.clone())))
    .bind(column(rows, |row| Json(row.description.clone())))
    .bind(column(rows, |row| Json(fold::sort_names(&row.name))))
    .bind(column(rows, |row| Json(row.attributes.clone())))
    .bind(column(rows, |row| Json(row.prices.clone())))
    .bind(column(rows, |row| Json(row.images.clone())))
    .bind(column(rows, |row| row.created_at))
    .bind(column(rows, |row| row.updated_at))
    .execute(connection)
    .await?;
    Ok(())
}

async fn save_texts(connection: &mut PgConnection, rows: &[Row]) -> Result<(), sqlx::Error> {
    let folded: Vec<fold::Folded> = rows.iter().map(fold::Folded::of).collect();
    // An array of arrays would have to be rectangular: the parts of a product travel as one text; none holds white space.
    sqlx::query(
        "INSERT INTO product_texts (product_id, names, folded, parts) \
         SELECT product_id, names, folded, array_to_tsvector(string_to_array(parts, ' ')) \
         FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[]) AS new (product_id, names, folded, parts) \
         ON CONFLICT (product_id) DO UPDATE SET names = excluded.names, folded = excluded.folded, \
         parts = excluded.parts",
    )
    .bind(column(rows, |row| row.product_id))
    .bind(column(&folded, |folded| folded.names.clone()))
    .bind(column(&folded, |folded| folded.all.clone()))
    .bind(column(&folded, |folded| folded.parts.clone()))
    .execute(connection)
    .await?;
    Ok(())
}

fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
