//! What must happen next: events in, steps out, without I/O. A process manager runs the steps; each ends in a command.

use serde::{Deserialize, Serialize};

use crate::ids::{CaptureId, OrderId, PaymentId, RefundId, SubjectId};
use crate::notification::Template;
use crate::{Event, StreamId, Time, customer, order, payment};

#[cfg(test)]
mod tests;

/// An event as the log has it.
#[derive(Debug, Clone, Copy)]
pub struct Happened<'a> {
    /// What happened.
    pub event: &'a Event,
    /// To what.
    pub stream: &'a StreamId,
    /// Where in the log.
    pub position: u64,
    /// When.
    pub recorded_at: Time,
}

/// Something that must be done, once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Step {
    /// Ask the gateway to authorise.
    Authorise { payment_id: PaymentId },
    /// Ask the gateway to capture.
    Capture { payment_id: PaymentId, capture_id: CaptureId },
    /// Ask the gateway to let the hold go.
    Void { payment_id: PaymentId },
    /// Ask the gateway to give money back.
    Refund { payment_id: PaymentId, refund_id: RefundId },
    /// Release an order that is not paid by then.
    Expire { order_id: OrderId, at: Time },
    /// Destroy the key of somebody who wants to be forgotten.
    DestroyKey { subject: SubjectId },
    /// Tell the buyer; the language is the order's.
    Notify { order_id: OrderId, template: Template, position: u64 },
}

impl Step {
    /// What kind of step it is.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Authorise { .. } => "authorise",
            Self::Capture { .. } => "capture",
            Self::Void { .. } => "void",
            Self::Refund { .. } => "refund",
            Self::Expire { .. } => "expire",
            Self::DestroyKey { .. } => "destroy_key",
            Self::Notify { .. } => "notify",
        }
    }

    /// Its name: the same step twice has the same one, and is done once.
    pub fn key(&self) -> String {
        match self {
            Self::Authorise { payment_id } => format!("authorise-{payment_id}"),
            Self::Capture { payment_id, capture_id } => format!("capture-{payment_id}-{capture_id}"),
            Self::Void { payment_id } => format!("void-{payment_id}"),
            Self::Refund { payment_id, refund_id } => format!("refund-{payment_id}-{refund_id}"),
            Self::Expire { order_id, .. } => format!("expire-{order_id}"),
            Self::DestroyKey { subject } => format!("destroy-key-{subject}"),
            Self::Notify { order_id, position, .. } => format!("notify-{order_id}-{position}"),
        }
    }

    /// When it is due; most are at once.
    pub fn due(&self, now: Time) -> Time {
        match self {
            Self::Expire { at, .. } => *at,
            _ => now,
        }
    }
}

/// What must happen after an event.
pub fn react(happened: &Happened<'_>) -> Vec<Step> {
    match happened.event {
        Event::Customer(customer::Event::Forgotten(forgotten)) => {
            vec![Step::DestroyKey { subject: forgotten.subject }]
        }
        Event::Order(event) => after_order(event, happened),
        Event::Payment(event) => after_payment(event, happened.stream),
        _ => Vec::new(),
    }
}

fn after_order(event: &order::Event, happened: &Happened<'_>) -> Vec<Step> {
    let template = match event {
        order::Event::Placed(placed) => {
            return vec![Step::Expire { order_id: placed.order_id, at: placed.reserved_until }];
        }
        order::Event::Confirmed(_) => Template::OrderConfirmed,
        order::Event::PaymentFailed(_) => Template::PaymentFailed,
        order::Event::Cancelled(_) => Template::OrderCancelled,
        order::Event::ShipmentSent(_) => Template::ShipmentSent,
        order::Event::ShipmentDelivered(_) => Template::ShipmentDelivered,
        order::Event::Refunded(_) => Template::Refunded,
        order::Event::ReturnRequested(_) | order::Event::ReturnReceived(_) => return Vec::new(),
    };
    let order_id = happened.stream.key().parse().ok();
    order_id
        .map(|order_id| Step::Notify { order_id, template, position: happened.position })
        .into_iter()
        .collect()
}

fn after_payment(event: &payment::Event, stream: &StreamId) -> Vec<Step> {
    let Ok(payment_id) = stream.key().parse() else { return Vec::new() };
    match event {
        payment::Event::Requested(_) => vec![Step::Authorise { payment_id }],
        payment::Event::CaptureRequested(requested) => {
            vec![Step::Capture { payment_id, capture_id: requested.capture_id }]
        }
        payment::Event::VoidRequested(_) => vec![Step::Void { payment_id }],
        payment::Event::RefundRequested(requested) => {
            vec![Step::Refund { payment_id, refund_id: requested.refund_id }]
        }
        _ => Vec::new(),
    }
}
