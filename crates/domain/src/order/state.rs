//! What is known of an order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Pieces, Placed, Status};
use crate::ids::{OrderId, PaymentId, ReturnId, ShipmentId};
use crate::text::{Locale, Sku};
use crate::{Money, Owner, Time};

/// What is known of an order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not there yet.
    #[default]
    Unknown,
    /// Placed, and whatever came after.
    Known(Box<Known>),
}

/// A placed order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The order.
    pub order_id: OrderId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// Whose it is.
    pub owner: Owner,
    /// The language of its buyer.
    pub locale: Locale,
    /// What was bought, by SKU.
    pub lines: BTreeMap<Sku, LineState>,
    /// What sending costs.
    pub shipping_fee: Money,
    /// All of it.
    pub total: Money,
    /// Where it stands.
    pub stage: Stage,
    /// What was sent.
    pub shipments: BTreeMap<ShipmentId, Shipment>,
    /// What was asked to be given back.
    pub returns: BTreeMap<ReturnId, Return>,
    /// What went back, in money.
    pub refunded: Money,
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for its payment until then.
    Pending {
        /// The end of the reservation.
        reserved_until: Time,
    },
    /// Paid.
    Confirmed,
    /// Not paid; released.
    PaymentFailed,
    /// Called off; released.
    Cancelled,
}

/// One line, and how far its pieces have come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineState {
    /// Price of a piece.
    pub unit_price: Money,
    /// Pieces bought.
    pub quantity: u32,
    /// Pieces sent.
    pub shipped: u32,
    /// Pieces arrived.
    pub delivered: u32,
    /// Pieces asked to be given back.
    pub return_requested: u32,
    /// Pieces given back.
    pub returned: u32,
}

/// A shipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shipment {
    /// What is in it.
    pub lines: Vec<Pieces>,
    /// Whether it has arrived.
    pub delivered: bool,
}

/// A return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Return {
    /// What is in it.
    pub lines: Vec<Pieces>,
    /// Whether it has arrived.
    pub received: bool,
}

impl State {
    /// The placed order.
    pub fn known(&self) -> Option<&Known> {
        match self {
            Self::Unknown => None,
            Self::Known(known) => Some(known),
        }
    }
    /// How far it has come.
    pub fn status(&self) -> Option<Status> {
        self.known().map(Known::status)
    }
    /// Whose it is.
    pub fn owner(&self) -> Option<Owner> {
        self.known().map(|known| known.owner)
    }
    /// Its payment.
    pub fn payment_id(&self) -> Option<PaymentId> {
        self.known().map(|known| known.payment_id)
    }
}

impl Known {
    fn placed(placed: &Placed) -> Self {
        let line = |line: &super::Line| LineState {
            unit_price: line.unit_price,
            quantity: line.quantity,
            shipped: 0,
            delivered: 0,
            return_requested: 0,
            returned: 0,
        };
        Self {
            order_id: placed.order_id,
            payment_id: placed.payment_id,
            owner: placed.owner,
            locale: placed.locale.clone(),
            lines: placed.lines.iter().map(|each| (each.sku.clone(), line(each))).collect(),
            shipping_fee: placed.shipping_fee,
            total: placed.total,
            stage: Stage::Pending { reserved_until: placed.reserved_until },
            shipments: BTreeMap::new(),
            returns: BTreeMap::new(),
            refunded: Money::zero(placed.total.currency),
        }
    }

    /// Whether it waits for its payment.
    pub fn is_pending(&self) -> bool {
        matches!(self.stage, Stage::Pending { .. })
    }

    /// How far it has come: money that went back counts before pieces that came back, those before pieces that were sent.
    pub fn status(&self) -> Status {
        match self.stage {
            Stage::Pending { .. } => return Status::PendingPayment,
            Stage::PaymentFailed => return Status::PaymentFailed,
            Stage::Cancelled => return Status::Cancelled,
            Stage::Confirmed => {}
        }
        let all =
            |pieces: fn(&LineState) -> u32| self.lines.values().all(|line| pieces(line) >= line.quantity);
        let any = |pieces: fn(&LineState) -> u32| self.lines.values().any(|line| pieces(line) > 0);
        if self.refunded.amount > 0 {
            return if self.refunded.amount >= self.total.amount {
                Status::Refunded
            } else {
                Status::PartiallyRefunded
            };
        }
        if any(|line| line.returned) {
            return if all(|line| line.returned) { Status::Returned } else { Status::PartiallyReturned };
        }
        if all(|line| line.delivered) {
            Status::Delivered
        } else if all(|line| line.shipped) {
            Status::Shipped
        } else if any(|line| line.shipped) {
            Status::PartiallyShipped
        } else {
            Status::Confirmed
        }
    }

    fn count(&mut self, pieces: &[Pieces], change: impl Fn(&mut LineState, u32)) {
        for each in pieces {
            if let Some(line) = self.lines.get_mut(&each.sku) {
                change(line, each.quantity);
            }
        }
    }
}

/// Evolving is total: nothing that is stored can make it panic.
fn add(count: &mut u32, pieces: u32) {
    *count = count.saturating_add(pieces);
}

/// The state after one more event.
#[must_use]
pub fn evolve(state: State, event: &Event) -> State {
    let mut known = match (state, event) {
        (_, Event::Placed(placed)) => return State::Known(Box::new(Known::placed(placed))),
        (State::Unknown, _) => return State::Unknown,
        (State::Known(known), _) => known,
    };
    match event {
        Event::Placed(_) => {}
        Event::Confirmed(_) => known.stage = Stage::Confirmed,
        Event::PaymentFailed(_) => known.stage = Stage::PaymentFailed,
        Event::Cancelled(_) => known.stage = Stage::Cancelled,
        Event::ShipmentSent(sent) => {
            known.count(&sent.lines, |line, pieces| add(&mut line.shipped, pieces));
            known
                .shipments
                .insert(sent.shipment_id, Shipment { lines: sent.lines.clone(), delivered: false });
        }
        Event::ShipmentDelivered(delivered) => {
            let shipment =
                known.shipments.get_mut(&delivered.shipment_id).filter(|shipment| !shipment.delivered);
            let lines = shipment.map(|shipment| {
                shipment.delivered = true;
                shipment.lines.clone()
            });
            known.count(&lines.unwrap_or_default(), |line, pieces| add(&mut line.delivered, pieces));
        }
        Event::ReturnRequested(requested) => {
            known.count(&requested.lines, |line, pieces| add(&mut line.return_requested, pieces));
            known
                .returns
                .insert(requested.return_id, Return { lines: requested.lines.clone(), received: false });
        }
        Event::ReturnReceived(received) => {
            let back = known.returns.get_mut(&received.return_id).filter(|back| !back.received);
            let lines = back.map(|back| {
                back.received = true;
                back.lines.clone()
            });
            known.count(&lines.unwrap_or_default(), |line, pieces| add(&mut line.returned, pieces));
        }
        Event::Refunded(refunded) => {
            known.refunded.amount = known.refunded.amount.saturating_add(refunded.amount.amount);
        }
    }
    State::Known(known)
}
