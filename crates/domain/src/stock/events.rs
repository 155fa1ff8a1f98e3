//! What happens to stock items. Quantities are pieces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, ProductId, ReturnId, ShipmentId};
use crate::text::Sku;
use crate::{events, payloads};

/// The SKU exists and belongs to this product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// The SKU.
    pub sku: Sku,
    /// Its product.
    pub product_id: ProductId,
}

/// Goods came in. Version 2 (version 1 had no `reason`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// Pieces, at least 1.
    pub quantity: u32,
    /// Why, for example `supplier delivery`.
    pub reason: String,
}

/// A count was corrected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adjusted {
    /// Pieces more, or fewer.
    pub delta: i64,
    /// Why.
    pub reason: String,
}

/// Pieces are held for an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reserved {
    /// For this order.
    pub order_id: OrderId,
    /// Pieces.
    pub quantity: u32,
}

/// Pieces held for an order are free again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Released {
    /// Of this order.
    pub order_id: OrderId,
    /// Pieces.
    pub quantity: u32,
}

/// Pieces held for an order left the house.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shipped {
    /// Of this order.
    pub order_id: OrderId,
    /// In this shipment.
    pub shipment_id: ShipmentId,
    /// Pieces.
    pub quantity: u32,
}

/// Returned pieces are for sale again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Restocked {
    /// Of this order.
    pub order_id: OrderId,
    /// By this return.
    pub return_id: ReturnId,
    /// Pieces.
    pub quantity: u32,
}

/// The level at which to reorder was set. 0: no alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReorderPointSet {
    /// Available pieces.
    pub quantity: u32,
}

/// Available fell to the reorder point: raised once until goods are received.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReplenishmentNeeded {
    /// Available pieces then.
    pub available: i64,
    /// The reorder point then.
    pub reorder_point: u32,
}

events! {
    /// The SKU exists.
    Listed = "StockListed" v 1,
    /// Goods came in.
    Received = "StockReceived" v 2,
    /// A count was corrected.
    Adjusted = "StockAdjusted" v 1,
    /// Held for an order.
    Reserved = "StockReserved" v 1,
    /// Free again.
    Released = "StockReleased" v 1,
    /// Left the house.
    Shipped = "StockShipped" v 1,
    /// Returned and for sale again.
    Restocked = "StockRestocked" v 1,
    /// The reorder point was set.
    ReorderPointSet = "StockReorderPointSet" v 1,
    /// Available fell to the reorder point.
    ReplenishmentNeeded = "StockReplenishmentNeeded" v 1,
}
payloads!(Listed, Received, Adjusted, Reserved, Released, Shipped, Restocked, ReorderPointSet, ReplenishmentNeeded;);
