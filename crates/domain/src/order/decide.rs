//! The rules of orders alone.

use std::collections::BTreeMap;

use super::{Command, Event, Known, LineState, Pieces, ReturnRequested, ShipmentDelivered, State};
use crate::command::{Decision, States};
use crate::ids::OrderId;
use crate::text::Sku;
use crate::{Actor, Kind, Refusal, StreamId};

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Check the id; somebody else's order is answered alike. Problem `not-found`.
    #[error("there is no such order")]
    Unknown,
    /// Check the id. Problem `not-found`.
    #[error("this order has no such {0}")]
    NoSuch(&'static str),
    /// Nothing of it has arrived and stayed. Problem `nothing-to-return`.
    #[error("nothing of this order can be given back")]
    NothingToReturn,
    /// Everything is on its way, or it is not paid. Problem `nothing-to-ship`.
    #[error("nothing of this order can be sent: it is {0}")]
    NothingToShip(&'static str),
    /// It is sent already, or has ended. Problem `order-not-cancellable`.
    #[error("this order cannot be called off: it is {0}")]
    NotCancellable(&'static str),
    /// Ask for pieces that are there. Problem `invalid-quantity`.
    #[error("{0}")]
    Quantity(String),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Unknown | Error::NoSuch(_) => Self::new(Kind::NotFound, "not-found", detail),
            Error::NothingToReturn => Self::new(Kind::Conflict, "nothing-to-return", detail),
            Error::NothingToShip(_) => Self::new(Kind::Conflict, "nothing-to-ship", detail),
            Error::NotCancellable(_) => Self::new(Kind::Conflict, "order-not-cancellable", detail),
            Error::Quantity(_) => Self::new(Kind::Invalid, "invalid-quantity", detail).at("/lines"),
        }
    }
}

/// Decides on one order.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Error> {
    let known = state.known().ok_or(Error::Unknown)?;
    match command {
        Command::Deliver { shipment_id, .. } => match known.shipments.get(shipment_id) {
            None => Err(Error::NoSuch("shipment")),
            Some(shipment) if shipment.delivered => Ok(Vec::new()),
            Some(_) => Ok(vec![ShipmentDelivered { shipment_id: *shipment_id }.into()]),
        },
        Command::RequestReturn { by, return_id, lines, reason, .. } => {
            check_owner(known, by)?;
            if known.returns.contains_key(return_id) {
                return Ok(Vec::new());
            }
            let can = |line: &LineState| line.delivered.saturating_sub(line.return_requested);
            let lines = choose(known, lines.as_deref(), can)?;
            if lines.is_empty() {
                return Err(Error::NothingToReturn);
            }
            Ok(vec![ReturnRequested { return_id: *return_id, lines, reason: reason.clone() }.into()])
        }
    }
}

pub(crate) fn check_owner(known: &Known, by: &Actor) -> Result<(), Error> {
    if known.owner.admits(by) { Ok(()) } else { Err(Error::Unknown) }
}

/// The asked-for pieces, or all that there are; never more than `available` says of a line. SKUs asked for twice are added up.
pub fn choose(
    known: &Known,
    asked: Option<&[Pieces]>,
    available: impl Fn(&LineState) -> u32,
) -> Result<Vec<Pieces>, Error> {
    let Some(asked) = asked else {
        let all =
            known.lines.iter().map(|(sku, line)| Pieces { sku: sku.clone(), quantity: available(line) });
        return Ok(all.filter(|pieces| pieces.quantity > 0).collect());
    };
    let mut sums: BTreeMap<&Sku, u32> = BTreeMap::new();
    for pieces in asked {
        let sum = sums.entry(&pieces.sku).or_default();
        *sum = sum.saturating_add(pieces.quantity);
        if pieces.quantity == 0 {
            return Err(Error::Quantity(format!("{}: at least 1 piece must be asked for", pieces.sku)));
        }
    }
    sums.into_iter()
        .map(|(sku, quantity)| {
            let line =
                known.lines.get(sku).ok_or_else(|| Error::Quantity(format!("{sku} is not in this order")))?;
            let available = available(line);
            if quantity > available {
                return Err(Error::Quantity(format!(
                    "{sku}: {quantity} pieces asked for, {available} possible"
                )));
            }
            Ok(Pieces { sku: sku.clone(), quantity })
        })
        .collect()
}

/// The loaded state of an order.
///
/// # Errors
/// When it is not loaded, which only a command that does not name all its streams can bring about.
pub fn state_of(states: &impl States, order_id: OrderId) -> Result<&State, Refusal> {
    match states.get(&StreamId::order(order_id)) {
        Some(crate::State::Order(state)) => Ok(state),
        _ => Err(Refusal::not_loaded()),
    }
}

/// Decides on one order among loaded states.
pub fn decide_over(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    Ok(Decision::on(&command.stream(), decide(state_of(states, command.order_id())?, command)?))
}
