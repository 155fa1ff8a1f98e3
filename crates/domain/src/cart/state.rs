//! What is known of a cart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::ids::{OrderId, ProductId};
use crate::text::{Locale, Sku};
use crate::{Currency, Owner};

/// What is known of a cart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum State {
    /// Not there yet.
    #[default]
    Unknown,
    /// Can be changed and bought.
    Open(Open),
    /// Became an order.
    CheckedOut {
        /// Whose it was.
        owner: Owner,
        /// The order.
        order_id: OrderId,
    },
}

/// A cart that can be changed and bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Whose it is.
    pub owner: Owner,
    /// The currency of all its prices.
    pub currency: Currency,
    /// The language of its buyer.
    pub locale: Locale,
    /// What is in it.
    pub items: BTreeMap<Sku, Item>,
}

/// Some pieces of one SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its product.
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
}

impl State {
    /// Whose it is, or was.
    pub fn owner(&self) -> Option<Owner> {
        match self {
            Self::Unknown => None,
            Self::Open(open) => Some(open.owner),
            Self::CheckedOut { owner, .. } => Some(*owner),
        }
    }
    /// Whether it can be changed and bought.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }
}

/// The state after one more event.
#[must_use]
pub fn evolve(state: State, event: &Event) -> State {
    match (state, event) {
        (State::Unknown, Event::Opened(opened)) => State::Open(Open {
            owner: opened.owner,
            currency: opened.currency,
            locale: opened.locale.clone(),
            items: BTreeMap::new(),
        }),
        (State::Open(mut open), Event::ItemSet(set)) => {
            open.items.insert(set.sku.clone(), Item { product_id: set.product_id, quantity: set.quantity });
            State::Open(open)
        }
        (State::Open(mut open), Event::ItemRemoved(removed)) => {
            open.items.remove(&removed.sku);
            State::Open(open)
        }
        (State::Open(open), Event::CheckedOut(out)) => {
            State::CheckedOut { owner: open.owner, order_id: out.order_id }
        }
        (state, _) => state,
    }
}
