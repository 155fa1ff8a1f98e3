//! A cart: what somebody means to buy, in one currency. Prices are not in it: they are the product's until it is an order.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::{Error, decide, decide_over, state_of};
pub use events::*;
pub use state::{Item, Open, State, evolve};

use crate::StreamId;
use crate::command::States;
use crate::ids::CartId;

impl Command {
    /// Which cart.
    pub fn cart_id(&self) -> CartId {
        match self {
            Self::Open { cart_id, .. } | Self::SetItem { cart_id, .. } | Self::RemoveItem { cart_id, .. } => {
                *cart_id
            }
        }
    }

    /// The streams it needs; the product is known once the stock item is loaded.
    pub fn streams(&self, states: &impl States) -> Vec<StreamId> {
        let mut streams = vec![StreamId::cart(self.cart_id())];
        if let Self::SetItem { sku, .. } = self {
            streams.push(StreamId::stock(sku));
            let product = crate::stock::state_of(states, sku).ok().and_then(crate::stock::State::product_id);
            streams.extend(product.map(StreamId::product));
        }
        streams
    }
}
