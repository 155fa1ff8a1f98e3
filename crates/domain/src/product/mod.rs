//! A product of the catalogue: what it is called, what it costs, whether it is on sale. One product has one SKU.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::{Error, decide, decide_over, state_of};
pub use events::*;
pub use state::{Offer, State, evolve};

use crate::StreamId;
use crate::ids::ProductId;

impl Command {
    /// Which product.
    pub fn product_id(&self) -> ProductId {
        match self {
            Self::Create(created) => created.product_id,
            Self::Change { product_id, .. }
            | Self::Publish { product_id }
            | Self::Unpublish { product_id } => *product_id,
        }
    }

    /// The streams it needs.
    pub fn streams(&self) -> Vec<StreamId> {
        let mut streams = vec![StreamId::product(self.product_id())];
        if let Self::Create(created) = self {
            streams.push(StreamId::stock(&created.sku));
        }
        streams
    }
}
