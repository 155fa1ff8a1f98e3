//! A payment: what the gateway was asked, and what it said.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::{Action, Command};
pub(crate) use decide::settle_refund;
pub use decide::{Error, decide, decide_over, state_of};
pub use events::*;
pub use state::{Known, Move, Standing, State, evolve};

use crate::StreamId;

impl Command {
    /// The stream it needs.
    pub fn stream(&self) -> StreamId {
        StreamId::payment(self.payment_id)
    }
}
