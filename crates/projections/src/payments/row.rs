//! One payment as the staff sees it, and how each event of its stream changes it.

use chrono::{DateTime, Utc};
use domain::Money;
use domain::payment::{self, Event, Operation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How a call to the gateway went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentAttemptOutcome)]
pub enum Outcome {
    /// Wanted; nothing is known yet.
    Requested,
    /// It was made and nobody knows what it did: it is asked again.
    Unknown,
    /// The gateway did it.
    Done,
    /// The gateway refused, or it was called off before it was made.
    Failed,
}

/// A call to the gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentAttempt)]
pub struct Attempt {
    /// `authorise`, `capture`, `void` or `refund`, and the id of the capture or refund.
    #[schema(value_type = Object, example = json!({"kind": "capture", "id": "0192f0c1-9d3e-7cc4-8000-000000000000"}))]
    pub operation: Operation,
    /// How much; `null` for a void.
    #[schema(value_type = Option<crate::orders::schema::Money>)]
    pub amount: Option<Money>,
    /// How it went.
    pub outcome: Outcome,
    /// Why it failed, or what was seen when the outcome was unknown.
    pub reason: Option<String>,
    /// How often the outcome was unknown.
    pub times_unknown: u32,
    /// When it was wanted.
    pub requested_at: DateTime<Utc>,
    /// When it was known.
    pub settled_at: Option<DateTime<Utc>>,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) payment_id: Uuid,
    pub(crate) order_id: Uuid,
    pub(crate) version: i32,
    pub(crate) status: String,
    pub(crate) gateway: String,
    pub(crate) gateway_reference: Option<String>,
    pub(crate) currency: String,
    pub(crate) amount: i64,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
    pub(crate) disputed: i64,
    #[sqlx(json)]
    pub(crate) attempts: Vec<Attempt>,
    #[sqlx(json)]
    pub(crate) state: payment::State,
    pub(crate) requested_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl Row {
    /// The row of a payment that is wanted.
    pub(crate) fn requested(event: &payment::Requested, version: i32, at: DateTime<Utc>) -> Self {
        let row = Self {
            payment_id: event.payment_id.0,
            order_id: event.order_id.0,
            version,
            status: String::new(),
            gateway: event.gateway.clone(),
            gateway_reference: None,
            currency: event.amount.currency.code().to_owned(),
            amount: event.amount.amount,
            captured: 0,
            refunded: 0,
            disputed: 0,
            attempts: Vec::new(),
            state: payment::State::default(),
            requested_at: at,
            updated_at: at,
        };
        row.evolve(&Event::Requested(event.clone()), version, at)
    }

    /// The row after one more event of its stream.
    pub(crate) fn evolve(mut self, event: &Event, version: i32, at: DateTime<Utc>) -> Self {
        match event {
            Event::Requested(requested) => self.want(Operation::Authorise, Some(requested.amount), at),
            Event::CaptureRequested(wanted) => {
                self.want(Operation::Capture(wanted.capture_id), Some(wanted.amount), at);
            }
            Event::VoidRequested(_) => self.want(Operation::Void, None, at),
            Event::RefundRequested(wanted) => {
                self.want(Operation::Refund(wanted.refund_id), Some(wanted.amount), at);
            }
            Event::OutcomeUnknown(unknown) => self.doubt(unknown),
            settled => self.settle(settled, at),
        }
        self.version = version;
        self.updated_at = at;
        self.folded(event)
    }

    /// Status and amounts are the domain's own: its state is folded beside the row.
    fn folded(mut self, event: &Event) -> Self {
        self.state = payment::evolve(self.state, event);
        if let Some(known) = self.state.known() {
            known.standing.as_str().clone_into(&mut self.status);
            self.captured = known.captured().amount;
            self.refunded = known.refunded().amount;
            self.disputed = known.disputed().amount;
        }
        self
    }

    fn want(&mut self, operation: Operation, amount: Option<Money>, at: DateTime<Utc>) {
        self.attempts.push(Attempt {
            operation,
            amount,
            outcome: Outcome::Requested,
            reason: None,
            times_unknown: 0,
            requested_at: at,
            settled_at: None,
        });
    }

    fn doubt(&mut self, unknown: &payment::OutcomeUnknown) {
        if let Some(attempt) = self.attempt(unknown.operation) {
            attempt.outcome = Outcome::Unknown;
            attempt.reason = Some(unknown.reason.clone());
            attempt.times_unknown = attempt.times_unknown.saturating_add(1);
        }
    }

    fn settle(&mut self, event: &Event, at: DateTime<Utc>) {
        match event {
            Event::Authorised(authorised) => {
                self.gateway_reference = Some(authorised.gateway_reference.clone());
                self.finish(Operation::Authorise, Outcome::Done, None, at);
            }
            Event::Failed(failed) => {
                self.finish(Operation::Authorise, Outcome::Failed, Some(&failed.reason), at);
            }
            Event::Captured(captured) => {
                self.finish(Operation::Capture(captured.capture_id), Outcome::Done, None, at);
            }
            Event::CaptureFailed(failed) => {
                let operation = Operation::Capture(failed.capture_id);
                self.finish(operation, Outcome::Failed, Some(&failed.reason), at);
            }
            Event::Voided(_) => self.finish(Operation::Void, Outcome::Done, None, at),
            Event::Refunded(refunded) => {
                self.finish(Operation::Refund(refunded.refund_id), Outcome::Done, None, at);
            }
            Event::RefundFailed(failed) => {
                let operation = Operation::Refund(failed.refund_id);
                self.finish(operation, Outcome::Failed, Some(&failed.reason), at);
            }
            _ => {}
        }
    }

    fn finish(&mut self, operation: Operation, outcome: Outcome, reason: Option<&str>, at: DateTime<Utc>) {
        if let Some(attempt) = self.attempt(operation) {
            attempt.outcome = outcome;
            attempt.reason = reason.map(str::to_owned);
            attempt.settled_at = Some(at);
        }
    }

    fn attempt(&mut self, operation: Operation) -> Option<&mut Attempt> {
        self.attempts.iter_mut().rev().find(|attempt| attempt.operation == operation)
    }
}
