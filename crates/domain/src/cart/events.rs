//! What happens to carts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CartId, OrderId, ProductId};
use crate::text::{Locale, Sku};
use crate::{Currency, Owner, events, payloads};

/// A cart was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The cart.
    pub cart_id: CartId,
    /// Whose it is.
    pub owner: Owner,
    /// The currency of all its prices.
    pub currency: Currency,
    /// The language of its buyer.
    pub locale: Locale,
}

/// That many of this are in the cart now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ItemSet {
    /// What.
    pub sku: Sku,
    /// Its product.
    pub product_id: ProductId,
    /// Pieces, at least 1.
    pub quantity: u32,
}

/// None of this is in the cart now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ItemRemoved {
    /// What.
    pub sku: Sku,
}

/// The cart became an order. Nothing happens to it any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckedOut {
    /// The order.
    pub order_id: OrderId,
}

events! {
    /// Opened.
    Opened = "CartOpened" v 1,
    /// A quantity was set.
    ItemSet = "CartItemSet" v 1,
    /// An item was removed.
    ItemRemoved = "CartItemRemoved" v 1,
    /// It became an order.
    CheckedOut = "CartCheckedOut" v 1,
}
payloads!(Opened, ItemSet, ItemRemoved, CheckedOut;);
