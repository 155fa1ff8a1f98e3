//! The claim of one customer on one e-mail address: what makes addresses unique without a lock.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::ids::CustomerId;

/// Who has the address.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    owner: Option<CustomerId>,
}

impl State {
    /// Who has it. `None`: it is free.
    pub fn owner(&self) -> Option<CustomerId> {
        self.owner
    }
}

/// The state after one more event.
#[must_use]
pub fn evolve(state: State, event: &Event) -> State {
    match event {
        Event::EmailClaimed(claimed) => State { owner: Some(claimed.customer_id) },
        Event::EmailReleased(_) => State { owner: None },
        _ => state,
    }
}
