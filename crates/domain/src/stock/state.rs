//! What is known of a stock item.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::ids::{OrderId, ProductId};

/// What is known of a stock item. Quantities are pieces.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    product_id: Option<ProductId>,
    on_hand: i64,
    reserved: i64,
    reservations: BTreeMap<OrderId, u32>,
    reorder_point: u32,
    alerted: bool,
}

impl State {
    /// Its product. `None`: there is no such SKU.
    pub fn product_id(&self) -> Option<ProductId> {
        self.product_id
    }
    /// Pieces in the house.
    pub fn on_hand(&self) -> i64 {
        self.on_hand
    }
    /// Pieces held for orders.
    pub fn reserved(&self) -> i64 {
        self.reserved
    }
    /// Pieces that can be bought.
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }
    /// Pieces held for one order.
    pub fn held_for(&self, order_id: OrderId) -> u32 {
        self.reservations.get(&order_id).copied().unwrap_or(0)
    }
    /// Available pieces at which to reorder; 0 for none.
    pub fn reorder_point(&self) -> u32 {
        self.reorder_point
    }
    /// Whether the alert was raised since goods came in last.
    pub fn alerted(&self) -> bool {
        self.alerted
    }

    fn hold(&mut self, order_id: OrderId, quantity: u32) {
        let held = self.reservations.entry(order_id).or_default();
        *held = held.saturating_add(quantity);
        self.reserved += i64::from(quantity);
    }

    fn let_go(&mut self, order_id: OrderId, quantity: u32) {
        let Some(held) = self.reservations.get_mut(&order_id) else { return };
        let quantity = quantity.min(*held);
        *held -= quantity;
        if *held == 0 {
            self.reservations.remove(&order_id);
        }
        self.reserved -= i64::from(quantity);
    }
}

/// The state after one more event.
#[must_use]
pub fn evolve(mut state: State, event: &Event) -> State {
    match event {
        Event::Listed(listed) => state.product_id = Some(listed.product_id),
        Event::Received(received) => {
            state.on_hand += i64::from(received.quantity);
            state.alerted = false;
        }
        Event::Adjusted(adjusted) => state.on_hand += adjusted.delta,
        Event::Reserved(reserved) => state.hold(reserved.order_id, reserved.quantity),
        Event::Released(released) => state.let_go(released.order_id, released.quantity),
        Event::Shipped(shipped) => {
            state.let_go(shipped.order_id, shipped.quantity);
            state.on_hand -= i64::from(shipped.quantity);
        }
        Event::Restocked(restocked) => state.on_hand += i64::from(restocked.quantity),
        Event::ReorderPointSet(set) => {
            state.reorder_point = set.quantity;
            state.alerted = false;
        }
        Event::ReplenishmentNeeded(_) => state.alerted = true,
    }
    state
}
