//! A stock item: what is in the house, what is held for orders, and when to reorder. `available = on_hand − reserved`, never
//! below zero.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::{Action, Command};
pub use decide::{Error, decide, decide_over, state_of};
pub use events::*;
pub use state::{State, evolve};

use crate::StreamId;

impl Command {
    /// The stream it needs.
    pub fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::stock(&self.sku)]
    }
}
