//! How stock is asked for.

use chrono::{DateTime, Utc};
use domain::ids::ProductId;
use domain::text::Sku;
use event_store::Position;
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::row::Row;
use crate::Reads;

/// A stock item, in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stock {
    /// What.
    #[schema(value_type = String, example = "AIR-MAX-270")]
    pub sku: Sku,
    /// Its product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// The version of its stream: the `ETag`.
    pub version: u32,
    /// In the house.
    pub on_hand: i64,
    /// Held for orders.
    pub reserved: i64,
    /// What can be bought: `on_hand − reserved`.
    pub available: i64,
    /// Available pieces at which to reorder; 0 for none.
    pub reorder_point: i64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Available fell to the reorder point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReplenishmentAlert)]
pub struct Alert {
    /// What.
    #[schema(value_type = String, example = "AIR-MAX-270")]
    pub sku: Sku,
    /// Available pieces then.
    pub available: i64,
    /// The reorder point then.
    pub reorder_point: i64,
    /// When.
    pub raised_at: DateTime<Utc>,
    /// When goods came in, or another reorder point was set; `null` while it is open.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Where in the log.
    #[schema(value_type = u64)]
    pub position: Position,
}

/// One stock item.
pub async fn find(pool: impl Reads<'_>, sku: &Sku) -> Result<Option<Stock>, sqlx::Error> {
    Ok(find_all(pool, std::slice::from_ref(sku)).await?.pop())
}

/// These stock items, as far as they are there.
pub async fn find_all(pool: impl Reads<'_>, skus: &[Sku]) -> Result<Vec<Stock>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT sku, product_id, version, on_hand, reserved, reorder_point, updated_at FROM stock \
         WHERE sku = ANY($1) ORDER BY sku",
    )
    .bind(skus.iter().map(Sku::as_str).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(stock).collect()
}

#[derive(FromRow)]
struct AlertRow {
    position: i64,
    sku: String,
    available: i64,
    reorder_point: i64,
    raised_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
}

/// Open alerts, newest first: those raised before a position, at most `limit`.
pub async fn alerts(
    pool: impl Reads<'_>,
    before: Option<Position>,
    limit: u32,
) -> Result<Vec<Alert>, sqlx::Error> {
    let sql = "SELECT position, sku, available, reorder_point, raised_at, resolved_at FROM replenishment_alerts \
         WHERE resolved_at IS NULL AND position < $1 ORDER BY position DESC LIMIT $2";
    page(pool, sql, before, limit).await
}

/// The same, with those that are done with.
pub async fn alerts_ever(
    pool: impl Reads<'_>,
    before: Option<Position>,
    limit: u32,
) -> Result<Vec<Alert>, sqlx::Error> {
    let sql = "SELECT position, sku, available, reorder_point, raised_at, resolved_at FROM replenishment_alerts \
         WHERE position < $1 ORDER BY position DESC LIMIT $2";
    page(pool, sql, before, limit).await
}

async fn page(
    pool: impl Reads<'_>,
    sql: &'static str,
    before: Option<Position>,
    limit: u32,
) -> Result<Vec<Alert>, sqlx::Error> {
    let rows: Vec<AlertRow> = sqlx::query_as(sql)
        .bind(before.map_or(i64::MAX, i64::from))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.into_iter().map(alert).collect()
}

fn sku(text: &str) -> Result<Sku, sqlx::Error> {
    Sku::parse(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn stock(row: Row) -> Result<Stock, sqlx::Error> {
    Ok(Stock {
        sku: sku(&row.sku)?,
        product_id: row.product_id.into(),
        version: row.version as u32,
        on_hand: row.on_hand,
        reserved: row.reserved,
        available: row.on_hand - row.reserved,
        reorder_point: row.reorder_point,
        updated_at: row.updated_at,
    })
}

fn alert(row: AlertRow) -> Result<Alert, sqlx::Error> {
    Ok(Alert {
        sku: sku(&row.sku)?,
        available: row.available,
        reorder_point: row.reorder_point,
        raised_at: row.raised_at,
        resolved_at: row.resolved_at,
        position: row.position.into(),
    })
}
