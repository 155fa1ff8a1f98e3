//! What is known of a customer.

use serde::{Deserialize, Serialize};

use super::{EmailIndex, Event};
use crate::ids::AddressId;

/// What is known of a customer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum State {
    /// Nobody yet.
    #[default]
    Unknown,
    /// Has an account.
    Active {
        /// The claim.
        email_index: EmailIndex,
        /// The entries of the address book.
        addresses: Vec<AddressId>,
    },
    /// Asked to be forgotten.
    Forgotten,
}

impl State {
    /// Whether there is an account.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }
    /// The claimed address's index.
    pub fn email_index(&self) -> Option<&EmailIndex> {
        match self {
            Self::Active { email_index, .. } => Some(email_index),
            _ => None,
        }
    }
}

/// The state after one more event.
#[must_use]
pub fn evolve(state: State, event: &Event) -> State {
    match (state, event) {
        (_, Event::Registered(registered)) => {
            State::Active { email_index: registered.email_index.clone(), addresses: Vec::new() }
        }
        (State::Active { email_index, mut addresses }, Event::AddressAdded(added)) => {
            addresses.push(added.address_id);
            State::Active { email_index, addresses }
        }
        (_, Event::Forgotten(_)) => State::Forgotten,
        (state, _) => state,
    }
}
