//! What can be asked of products.

use super::{Changed, Created};
use crate::ids::ProductId;

/// What can be asked of products.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)]
pub enum Command {
    /// Add a product and list its SKU as a stock item. Needs the product's and the stock item's stream.
    Create(Created),
    /// Change what is `Some`.
    Change {
        /// Which.
        product_id: ProductId,
        /// What.
        change: Changed,
    },
    /// Offer it. Needs at least one price.
    Publish {
        /// Which.
        product_id: ProductId,
    },
    /// Withdraw it.
    Unpublish {
        /// Which.
        product_id: ProductId,
    },
}
