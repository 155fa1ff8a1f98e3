//! A notice to a buyer.

mod commands;
mod decide;
mod events;

pub use commands::Command;
pub use decide::{Error, State, decide, decide_over, evolve};
pub use events::*;

use crate::StreamId;

impl Command {
    /// The stream it needs.
    pub fn stream(&self) -> StreamId {
        let id = match self {
            Self::Request(requested) => requested.notification_id,
            Self::RecordSent { notification_id, .. } | Self::RecordFailed { notification_id, .. } => {
                *notification_id
            }
        };
        StreamId::notification(id)
    }
}
