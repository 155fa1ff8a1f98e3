//! What can be asked of stock items.

use crate::ids::{OrderId, ProductId, ReturnId, ShipmentId};
use crate::text::Sku;

/// What can be asked of stock items. Those about orders are given by [`crate::checkout`] only.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Which stock item.
    pub sku: Sku,
    /// What to do.
    pub action: Action,
}

/// What to do with a stock item. Quantities are pieces.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Action {
    /// The SKU exists (with its product's creation).
    List { product_id: ProductId },
    /// Goods came in.
    Receive { quantity: u32, reason: String },
    /// Correct a count.
    Adjust { delta: i64, reason: String },
    /// Set the level of the alert; 0 for none.
    SetReorderPoint { quantity: u32 },
    /// Hold for an order.
    Reserve { order_id: OrderId, quantity: u32 },
    /// Free what is still held for an order (all of it). Nothing held: nothing happens.
    Release { order_id: OrderId },
    /// What was held leaves the house.
    Ship { order_id: OrderId, shipment_id: ShipmentId, quantity: u32 },
    /// Returned goods are for sale again.
    Restock { order_id: OrderId, return_id: ReturnId, quantity: u32 },
}
