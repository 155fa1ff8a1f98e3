//! Who did it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{CartId, CustomerId};

/// Who gave a command. Recorded with every event; decides what may be touched.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// A signed-in customer.
    Customer(CustomerId),
    /// A guest, known by the cart.
    Guest(CartId),
    /// Somebody who works for the shop (staff or admin).
    Staff(Uuid),
    /// A payment gateway, by name.
    Gateway(String),
    /// A part of this system, by name.
    System(String),
}

impl Actor {
    /// A part of this system.
    pub fn system(name: &str) -> Self {
        Self::System(name.to_owned())
    }
}

/// Whose cart or order it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Owner {
    /// A signed-in customer.
    Customer(CustomerId),
    /// A guest, known by the cart.
    Guest(CartId),
}

impl Owner {
    /// Whether this actor may see and change what the owner has: the owner, staff, gateways and the system itself.
    pub fn admits(&self, actor: &Actor) -> bool {
        match (self, actor) {
            (Self::Customer(owner), Actor::Customer(id)) => owner == id,
            (Self::Guest(owner), Actor::Guest(id)) => owner == id,
            (_, Actor::Staff(_) | Actor::Gateway(_) | Actor::System(_)) => true,
            _ => false,
        }
    }
}
