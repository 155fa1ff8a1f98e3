//! A customer: an account, its address book, and the claim on its e-mail address. Who the person is stays out of the state.

mod commands;
mod decide;
pub mod email;
mod events;
mod state;

pub use commands::Command;
pub use decide::{Error, decide, decide_over, state_of};
pub use events::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use state::{State, evolve};

use crate::StreamId;
use crate::command::States;
use crate::ids::CustomerId;
use crate::text::{Email, Invalid, PersonName, Phone};

/// The keyed hash of an e-mail address in lower-case hex: equal addresses have equal ones, and nothing can be read from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9a-f]{32,128}$"))]
pub struct EmailIndex(String);

impl EmailIndex {
    /// Parses 32 to 128 lower-case hex digits.
    pub fn parse(hex: &str) -> Result<Self, Invalid> {
        let fits = (32..=128).contains(&hex.len()) && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        if fits {
            Ok(Self(hex.to_owned()))
        } else {
            Err(Invalid::new("an e-mail index", "must be lower-case hex"))
        }
    }
    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EmailIndex {
    type Error = Invalid;
    fn try_from(hex: String) -> Result<Self, Invalid> {
        Self::parse(&hex)
    }
}
impl From<EmailIndex> for String {
    fn from(index: EmailIndex) -> Self {
        index.0
    }
}

/// Who a customer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// E-mail.
    pub email: Email,
    /// Name.
    pub name: PersonName,
    /// Phone.
    pub phone: Option<Phone>,
}

impl Command {
    /// Who it is about.
    pub fn customer_id(&self) -> CustomerId {
        match self {
            Self::Register { customer_id, .. }
            | Self::ChangeProfile { customer_id, .. }
            | Self::AddAddress { customer_id, .. }
            | Self::Forget { customer_id } => *customer_id,
        }
    }

    /// The streams it needs: the customer's, and the e-mail claim's where the claim changes.
    pub fn streams(&self, states: &impl States) -> Vec<StreamId> {
        let mut streams = vec![StreamId::customer(self.customer_id())];
        match self {
            Self::Register { email_index, .. } => streams.push(StreamId::email(email_index)),
            Self::Forget { customer_id } => {
                let claimed = decide::state_of(states, *customer_id).ok().and_then(State::email_index);
                streams.extend(claimed.map(StreamId::email));
            }
            Self::ChangeProfile { .. } | Self::AddAddress { .. } => {}
        }
        streams
    }
}
