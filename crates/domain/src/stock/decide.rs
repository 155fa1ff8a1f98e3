//! The rules of stock.

use super::{
    Action, Adjusted, Command, Event, Listed, Received, Released, ReorderPointSet, ReplenishmentNeeded,
    Reserved, Restocked, Shipped, State,
};
use crate::command::{Decision, States};
use crate::text::Sku;
use crate::{Kind, Refusal, StreamId};

/// No stock item holds more pieces.
const ON_HAND_MAX: i64 = 1_000_000_000;
/// No receipt has more pieces.
const RECEIPT_MAX: u32 = 1_000_000;

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Check the SKU. Problem `unknown-sku`.
    #[error("there is no SKU {0:?}")]
    Unknown(String),
    /// The SKU belongs to another product: choose another. Problem `sku-taken`.
    #[error("the SKU {0:?} belongs to another product")]
    Taken(String),
    /// Ask for less, or wait. Problem `out-of-stock`.
    #[error("{sku}: {asked} asked for, {available} available")]
    OutOfStock {
        /// What.
        sku: String,
        /// How many.
        asked: u32,
        /// How many there are.
        available: i64,
    },
    /// Give a quantity within the bounds. Problem `invalid-quantity`.
    #[error("{0}")]
    Quantity(String),
    /// The order does not hold so many. Problem `invalid-state`.
    #[error("{sku}: the order holds {held} pieces, not {asked}")]
    NotHeld {
        /// What.
        sku: String,
        /// How many were to leave.
        asked: u32,
        /// How many are held.
        held: u32,
    },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Unknown(_) => Self::new(Kind::NotFound, "unknown-sku", detail),
            Error::Taken(_) => Self::new(Kind::Conflict, "sku-taken", detail).at("/sku"),
            Error::OutOfStock { .. } => Self::new(Kind::Conflict, "out-of-stock", detail),
            Error::Quantity(_) => Self::new(Kind::Invalid, "invalid-quantity", detail).at("/quantity"),
            Error::NotHeld { .. } => Self::new(Kind::Conflict, "invalid-state", detail),
        }
    }
}

/// Decides on one stock item.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Error> {
    let sku = &command.sku;
    if let Action::List { product_id } = command.action {
        return match state.product_id() {
            None => Ok(vec![Listed { sku: sku.clone(), product_id }.into()]),
            Some(_) => Err(Error::Taken(sku.to_string())),
        };
    }
    if state.product_id().is_none() {
        return Err(Error::Unknown(sku.to_string()));
    }
    let event: Option<Event> = match &command.action {
        Action::List { .. } => None,
        Action::Receive { quantity, reason } => Some(receive(state, *quantity, reason)?.into()),
        Action::Adjust { delta, reason } => Some(adjust(state, *delta, reason)?.into()),
        Action::SetReorderPoint { quantity } => {
            (state.reorder_point() != *quantity).then(|| ReorderPointSet { quantity: *quantity }.into())
        }
        Action::Reserve { order_id, quantity } => {
            check_available(state, sku, *quantity)?;
            Some(Reserved { order_id: *order_id, quantity: *quantity }.into())
        }
        Action::Release { order_id } => {
            let quantity = state.held_for(*order_id);
            (quantity > 0).then(|| Released { order_id: *order_id, quantity }.into())
        }
        Action::Ship { order_id, shipment_id, quantity } => {
            let held = state.held_for(*order_id);
            if *quantity == 0 || *quantity > held {
                return Err(Error::NotHeld { sku: sku.to_string(), asked: *quantity, held });
            }
            Some(Shipped { order_id: *order_id, shipment_id: *shipment_id, quantity: *quantity }.into())
        }
        Action::Restock { order_id, return_id, quantity } => {
            check_on_hand(state.on_hand() + i64::from(*quantity))?;
            (*quantity > 0)
                .then(|| Restocked { order_id: *order_id, return_id: *return_id, quantity: *quantity }.into())
        }
    };
    Ok(with_alert(state, event))
}

fn receive(state: &State, quantity: u32, reason: &str) -> Result<Received, Error> {
    if !(1..=RECEIPT_MAX).contains(&quantity) {
        return Err(Error::Quantity(format!("a receipt has 1 to {RECEIPT_MAX} pieces, not {quantity}")));
    }
    check_on_hand(state.on_hand() + i64::from(quantity))?;
    Ok(Received { quantity, reason: reason.to_owned() })
}

fn adjust(state: &State, delta: i64, reason: &str) -> Result<Adjusted, Error> {
    let after = state.on_hand().checked_add(delta);
    let after = after.ok_or_else(|| Error::Quantity("the adjustment is too large".to_owned()))?;
    if delta == 0 {
        return Err(Error::Quantity("an adjustment of 0 changes nothing".to_owned()));
    }
    if after < state.reserved() {
        let reserved = state.reserved();
        return Err(Error::Quantity(format!("{reserved} pieces are held for orders; {after} would be left")));
    }
    check_on_hand(after)?;
    Ok(Adjusted { delta, reason: reason.to_owned() })
}

fn check_on_hand(after: i64) -> Result<(), Error> {
    if after > ON_HAND_MAX {
        return Err(Error::Quantity(format!("no stock item holds more than {ON_HAND_MAX} pieces")));
    }
    Ok(())
}

fn check_available(state: &State, sku: &Sku, quantity: u32) -> Result<(), Error> {
    let available = state.available();
    if quantity == 0 {
        return Err(Error::Quantity("at least 1 piece must be asked for".to_owned()));
    }
    if i64::from(quantity) > available {
        return Err(Error::OutOfStock { sku: sku.to_string(), asked: quantity, available });
    }
    Ok(())
}

/// Adds the alert when this event brings available to the reorder point, once until goods come in. The numbers are worked
/// out rather than folded: the state of a hot item is large, and this is its most frequent decision.
fn with_alert(state: &State, event: Option<Event>) -> Vec<Event> {
    let Some(event) = event else { return Vec::new() };
    let (point, alerted, available) = match &event {
        Event::Reserved(reserved) => {
            (state.reorder_point(), state.alerted(), state.available() - i64::from(reserved.quantity))
        }
        Event::Adjusted(adjusted) => {
            (state.reorder_point(), state.alerted(), state.available() + adjusted.delta)
        }
        Event::ReorderPointSet(set) => (set.quantity, false, state.available()),
        _ => return vec![event],
    };
    if point == 0 || alerted || available > i64::from(point) {
        return vec![event];
    }
    vec![event, ReplenishmentNeeded { available, reorder_point: point }.into()]
}

/// Decides on one stock item among loaded states.
pub fn decide_over(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    let stream = StreamId::stock(&command.sku);
    Ok(Decision::on(&stream, decide(state_of(states, &command.sku)?, command)?))
}

/// The loaded state of a stock item.
///
/// # Errors
/// When it is not loaded, which only a command that does not name all its streams can bring about.
pub fn state_of<'a>(states: &'a impl States, sku: &Sku) -> Result<&'a State, Refusal> {
    match states.get(&StreamId::stock(sku)) {
        Some(crate::State::Stock(state)) => Ok(state),
        _ => Err(Refusal::not_loaded()),
    }
}
