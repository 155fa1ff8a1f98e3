//! What is known of a payment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Operation};
use crate::Money;
use crate::ids::{CaptureId, DisputeId, OrderId, RefundId};

/// What is known of a payment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not there yet.
    #[default]
    Unknown,
    /// Requested, and whatever came after.
    Known(Box<Known>),
}

/// A requested payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// What it pays for.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// By which gateway.
    pub gateway: String,
    /// The gateway's name for it, once it has one.
    pub reference: Option<String>,
    /// Where it stands.
    pub standing: Standing,
    /// Calls whose outcome nobody knows yet.
    pub unknown: Vec<Operation>,
    /// Captures asked for.
    pub captures: BTreeMap<CaptureId, Move>,
    /// Refunds asked for.
    pub refunds: BTreeMap<RefundId, Move>,
    /// Disputes.
    pub disputes: BTreeMap<DisputeId, Money>,
}

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The gateway is being asked.
    Requested,
    /// The gateway holds the money.
    Authorised,
    /// The gateway will not pay.
    Failed,
    /// The hold is to be let go.
    VoidRequested,
    /// The hold is gone.
    Voided,
}

impl Standing {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Authorised => "authorised",
            Self::Failed => "failed",
            Self::VoidRequested => "void_requested",
            Self::Voided => "voided",
        }
    }
}

/// A capture or a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// How much.
    pub amount: Money,
    /// What became of it: `None` nothing yet, done, or refused for good.
    pub done: Option<bool>,
}

impl State {
    /// The requested payment.
    pub fn known(&self) -> Option<&Known> {
        match self {
            Self::Unknown => None,
            Self::Known(known) => Some(known),
        }
    }
    /// What it pays for.
    pub fn order_id(&self) -> Option<OrderId> {
        self.known().map(|known| known.order_id)
    }
    /// Where it stands.
    pub fn status(&self) -> Option<Standing> {
        self.known().map(|known| known.standing)
    }
    /// How much.
    pub fn amount(&self) -> Option<Money> {
        self.known().map(|known| known.amount)
    }
    /// How much of it is ours.
    pub fn captured(&self) -> Option<Money> {
        self.known().map(Known::captured)
    }
    /// How much went back.
    pub fn refunded(&self) -> Option<Money> {
        self.known().map(Known::refunded)
    }
}

/// Amounts were checked when they were decided, and never exceed the payment's own.
fn sum<'a>(of: Money, moves: impl Iterator<Item = &'a Move>, counts: impl Fn(&Move) -> bool) -> Money {
    let amount =
        moves.filter(|each| counts(each)).fold(0_i64, |sum, each| sum.saturating_add(each.amount.amount));
    Money { amount, ..of }
}

impl Known {
    /// How much of it is ours.
    pub fn captured(&self) -> Money {
        sum(self.amount, self.captures.values(), |each| each.done == Some(true))
    }
    /// How much of it is ours or asked for.
    pub fn capture_committed(&self) -> Money {
        sum(self.amount, self.captures.values(), |each| each.done != Some(false))
    }
    /// How much went back.
    pub fn refunded(&self) -> Money {
        sum(self.amount, self.refunds.values(), |each| each.done == Some(true))
    }
    /// How much went back or is asked to.
    pub fn refund_committed(&self) -> Money {
        sum(self.amount, self.refunds.values(), |each| each.done != Some(false))
    }
    /// How much the buyer's bank took back.
    pub fn disputed(&self) -> Money {
        let amount = self.disputes.values().fold(0_i64, |sum, each| sum.saturating_add(each.amount));
        Money { amount, ..self.amount }
    }
    /// How much can still be asked to go back.
    pub fn refundable(&self) -> Money {
        let used = self.refund_committed().amount.saturating_add(self.disputed().amount);
        Money { amount: self.capture_committed().amount.saturating_sub(used).max(0), ..self.amount }
    }

    fn settle(&mut self, operation: Operation) {
        self.unknown.retain(|unknown| *unknown != operation);
    }
}

/// The state after one more event.
#[must_use]
pub fn evolve(state: State, event: &Event) -> State {
    let mut known = match (state, event) {
        (_, Event::Requested(requested)) => {
            return State::Known(Box::new(Known {
                order_id: requested.order_id,
                amount: requested.amount,
                gateway: requested.gateway.clone(),
                reference: None,
                standing: Standing::Requested,
                unknown: Vec::new(),
                captures: BTreeMap::new(),
                refunds: BTreeMap::new(),
                disputes: BTreeMap::new(),
            }));
        }
        (State::Unknown, _) => return State::Unknown,
        (State::Known(known), _) => known,
    };
    match event {
        Event::Requested(_) => {}
        Event::OutcomeUnknown(unknown) => known.unknown.push(unknown.operation),
        Event::Authorised(authorised) => {
            known.reference = Some(authorised.gateway_reference.clone());
            known.standing = Standing::Authorised;
            known.settle(Operation::Authorise);
        }
        Event::Failed(_) => {
            known.standing = Standing::Failed;
            known.settle(Operation::Authorise);
        }
        Event::CaptureRequested(requested) => {
            known.captures.insert(requested.capture_id, Move { amount: requested.amount, done: None });
        }
        Event::Captured(captured) => {
            known.captures.insert(captured.capture_id, Move { amount: captured.amount, done: Some(true) });
            known.settle(Operation::Capture(captured.capture_id));
        }
        Event::CaptureFailed(failed) => {
            known.captures.entry(failed.capture_id).and_modify(|capture| capture.done = Some(false));
            known.settle(Operation::Capture(failed.capture_id));
        }
        Event::VoidRequested(_) => known.standing = Standing::VoidRequested,
        Event::Voided(_) => {
            known.standing = Standing::Voided;
            known.settle(Operation::Void);
        }
        Event::RefundRequested(requested) => {
            known.refunds.insert(requested.refund_id, Move { amount: requested.amount, done: None });
        }
        Event::Refunded(refunded) => {
            known.refunds.insert(refunded.refund_id, Move { amount: refunded.amount, done: Some(true) });
            known.settle(Operation::Refund(refunded.refund_id));
        }
        Event::RefundFailed(failed) => {
            known.refunds.entry(failed.refund_id).and_modify(|refund| refund.done = Some(false));
            known.settle(Operation::Refund(failed.refund_id));
        }
        Event::Disputed(disputed) => {
            known.disputes.insert(disputed.dispute_id, disputed.amount);
        }
    }
    State::Known(known)
}
