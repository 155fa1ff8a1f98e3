//! What can be asked of carts.

use crate::ids::CartId;
use crate::text::{Locale, Sku};
use crate::{Actor, Currency, Owner};

/// What can be asked of carts.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Command {
    /// Open one.
    Open { cart_id: CartId, owner: Owner, currency: Currency, locale: Locale },
    /// Set how many pieces of a SKU are in it (1 to 9,999). Needs the stock item's stream (which names the product) and
    /// the product's: it must be published and have a price in the cart's currency. At most 1,000 different SKUs.
    SetItem { cart_id: CartId, by: Actor, sku: Sku, quantity: u32 },
    /// Take a SKU out. Not in it: nothing happens.
    RemoveItem { cart_id: CartId, by: Actor, sku: Sku },
}
