//! The rules of payments: captured ≤ authorised, refunded + disputed ≤ captured, and no terminal state ever regresses.

use super::{
    Action, CaptureFailed, Captured, Command, Disputed, Event, Known, Move, Operation, OutcomeUnknown,
    RefundFailed, Standing, State, Voided,
};
use crate::command::{Decision, States};
use crate::ids::PaymentId;
use crate::{Kind, Money, Refusal, StreamId};

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Check the id. Problem `not-found`.
    #[error("there is no such payment")]
    Unknown,
    /// What the gateway says does not fit what it was asked: somebody must look. Problem `invalid-state`.
    #[error("{0}")]
    Contradiction(String),
    /// Give an amount within what is left. Problem `invalid-amount`.
    #[error("{asked} is not within the {left} that are left")]
    Amount {
        /// Asked.
        asked: Money,
        /// Left.
        left: Money,
    },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Unknown => Self::new(Kind::NotFound, "not-found", detail),
            Error::Contradiction(_) => Self::new(Kind::Conflict, "invalid-state", detail),
            Error::Amount { .. } => Self::new(Kind::Invalid, "invalid-amount", detail).at("/amount"),
        }
    }
}

/// Decides on one payment. Everything may be said twice.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Error> {
    let known = state.known().ok_or(Error::Unknown)?;
    match &command.action {
        Action::RecordUnknown { operation, reason } => {
            let new = is_open(known, *operation)? && !known.unknown.contains(operation);
            let event = OutcomeUnknown { operation: *operation, reason: reason.clone() };
            Ok(new.then(|| event.into()).into_iter().collect())
        }
        Action::RecordCaptured { capture_id, amount } => {
            let event = Captured { capture_id: *capture_id, amount: *amount };
            settle(known.captures.get(capture_id), *amount, "capture")
                .map(|new| new.then(|| event.into()).into_iter().collect())
        }
        Action::RecordCaptureFailed { capture_id, reason } => {
            let event = CaptureFailed { capture_id: *capture_id, reason: reason.clone() };
            fail(known.captures.get(capture_id), "capture")
                .map(|new| new.then(|| event.into()).into_iter().collect())
        }
        Action::RecordVoided => match known.standing {
            Standing::VoidRequested => Ok(vec![Voided {}.into()]),
            Standing::Voided => Ok(Vec::new()),
            other => Err(Error::Contradiction(format!(
                "a payment that is {} was not to be voided",
                other.as_str()
            ))),
        },
        Action::RecordRefundFailed { refund_id, reason } => {
            let event = RefundFailed { refund_id: *refund_id, reason: reason.clone() };
            fail(known.refunds.get(refund_id), "refund")
                .map(|new| new.then(|| event.into()).into_iter().collect())
        }
        Action::RecordDispute { dispute_id, .. } if known.disputes.contains_key(dispute_id) => Ok(Vec::new()),
        Action::RecordDispute { dispute_id, amount, reason } => {
            let left = known.captured().amount - known.refund_committed().amount - known.disputed().amount;
            let left = Money { amount: left.max(0), ..known.amount };
            if !amount.is_positive() || amount.currency != left.currency || amount.amount > left.amount {
                return Err(Error::Amount { asked: *amount, left });
            }
            Ok(vec![Disputed { dispute_id: *dispute_id, amount: *amount, reason: reason.clone() }.into()])
        }
    }
}

/// Whether the outcome of a call that was asked for is still to come. A time-out may be reported after a webhook has settled it.
fn is_open(known: &Known, operation: Operation) -> Result<bool, Error> {
    let never = |what: &str| Error::Contradiction(format!("this {what} was never asked for"));
    let waits =
        |asked: Option<&Move>, what: &str| asked.map(|asked| asked.done.is_none()).ok_or_else(|| never(what));
    match (operation, known.standing) {
        (Operation::Authorise, standing) => Ok(standing == Standing::Requested),
        (Operation::Void, Standing::VoidRequested) => Ok(true),
        (Operation::Void, Standing::Voided) => Ok(false),
        (Operation::Void, _) => Err(never("void")),
        (Operation::Capture(id), _) => waits(known.captures.get(&id), "capture"),
        (Operation::Refund(id), _) => waits(known.refunds.get(&id), "refund"),
    }
}

/// Whether a capture or refund is newly done. It must have been asked for, with that amount.
fn settle(asked: Option<&Move>, amount: Money, what: &str) -> Result<bool, Error> {
    match asked {
        None => Err(Error::Contradiction(format!("this {what} was never asked for"))),
        Some(asked) if asked.amount != amount => {
            Err(Error::Contradiction(format!("this {what} was asked for as {}, not {amount}", asked.amount)))
        }
        Some(Move { done: Some(false), .. }) => Err(Error::Contradiction(format!("this {what} has failed"))),
        Some(asked) => Ok(asked.done.is_none()),
    }
}

fn fail(asked: Option<&Move>, what: &str) -> Result<bool, Error> {
    match asked {
        None => Err(Error::Contradiction(format!("this {what} was never asked for"))),
        Some(Move { done: Some(true), .. }) => Err(Error::Contradiction(format!("this {what} was done"))),
        Some(asked) => Ok(asked.done.is_none()),
    }
}

/// Whether a refund can be recorded as done: asked for with that amount, and covered by what is captured.
pub(crate) fn settle_refund(known: &Known, refund: Option<&Move>, amount: Money) -> Result<bool, Error> {
    let new = settle(refund, amount, "refund")?;
    let left = known.captured().amount - known.refunded().amount - known.disputed().amount;
    if new && amount.amount > left {
        return Err(Error::Contradiction(format!(
            "{amount} cannot have gone back: only {left} are captured and still here"
        )));
    }
    Ok(new)
}

/// The loaded state of a payment.
///
/// # Errors
/// When it is not loaded, which only a command that does not name all its streams can bring about.
pub fn state_of(states: &impl States, payment_id: PaymentId) -> Result<&State, Refusal> {
    match states.get(&StreamId::payment(payment_id)) {
        Some(crate::State::Payment(state)) => Ok(state),
        _ => Err(Refusal::not_loaded()),
    }
}

/// Decides on one payment among loaded states.
pub fn decide_over(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    Ok(Decision::on(&command.stream(), decide(state_of(states, command.payment_id)?, command)?))
}
