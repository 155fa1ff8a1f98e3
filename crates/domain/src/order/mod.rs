//! An order: what was bought at which price, and how far it has come.

mod commands;
mod decide;
mod events;
mod shipping;
mod state;
mod status;
mod tax;

pub use commands::Command;
pub(crate) use decide::check_owner;
pub use decide::{Error, choose, decide, decide_over, state_of};
pub use events::*;
pub use shipping::fee as shipping_fee;
pub use state::{Known, LineState, Return, Shipment, Stage, State, evolve};
pub use status::Status;
pub use tax::contained as contained_tax;

use crate::StreamId;
use crate::ids::OrderId;

impl Command {
    /// Which order.
    pub fn order_id(&self) -> OrderId {
        match self {
            Self::Deliver { order_id, .. } | Self::RequestReturn { order_id, .. } => *order_id,
        }
    }
    /// The stream it needs.
    pub fn stream(&self) -> StreamId {
        StreamId::order(self.order_id())
    }
}
