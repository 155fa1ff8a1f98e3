//! How tracking is asked for.

use domain::Owner;
use domain::ids::OrderId;
use serde::Serialize;
use utoipa::ToSchema;

use super::row::{Row, Shipment, Step};
use crate::Reads;
use crate::orders::owner_of;

/// The way of an order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Tracking)]
pub struct Way {
    /// The order.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// The version of its stream.
    pub version: u32,
    /// Whose it is.
    #[serde(skip)]
    #[schema(ignore)]
    pub owner: Owner,
    /// Where it is now.
    #[schema(example = "shipped")]
    pub status: String,
    /// Every status it has had, in order.
    pub steps: Vec<Step>,
    /// What was sent, in order.
    pub shipments: Vec<Shipment>,
}

/// The way of one order.
pub async fn find(pool: impl Reads<'_>, order_id: OrderId) -> Result<Option<Way>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT order_id, version, owner_kind, owner_id, status, steps, shipments, state FROM tracking \
         WHERE order_id = $1",
    )
    .bind(order_id.0)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| Way {
        order_id: row.order_id.into(),
        version: row.version as u32,
        owner: owner_of(&row.owner_kind, row.owner_id),
        status: row.status,
        steps: row.steps,
        shipments: row.shipments,
    }))
}
