//! Orders that end before anything is sent.

use super::{check_new, order_of, payment_of, release};
use crate::command::{Decision, States};
use crate::ids::{OrderId, RefundId};
use crate::order::{self, Known, Stage, check_owner};
use crate::payment::{self, Standing};
use crate::{Actor, Refusal, StreamId, Time};

/// The time to pay is over. The payment stays as it is: the gateway may still say yes, and is then asked to let the hold go.
pub(super) fn expire(states: &impl States, order_id: OrderId, at: Time) -> Result<Decision, Refusal> {
    let order = order_of(states, order_id)?;
    match order.stage {
        Stage::Pending { reserved_until } if reserved_until <= at => {
            let failed = order::Event::from(order::PaymentFailed { reason: "expired".to_owned() });
            Ok(Decision::on(&StreamId::order(order_id), [failed]).and(release(states, order)?))
        }
        _ => Ok(Decision::default()),
    }
}

/// Called off by its buyer or by staff.
pub(super) fn cancel(
    states: &impl States,
    order_id: OrderId,
    by: &Actor,
    reason: &str,
    refund_id: RefundId,
) -> Result<Decision, Refusal> {
    let order = order_of(states, order_id)?;
    check_owner(order, by)?;
    match order.stage {
        Stage::Cancelled => return Ok(Decision::default()),
        Stage::Pending { .. } => {}
        Stage::Confirmed if order.shipments.is_empty() => {}
        Stage::Confirmed | Stage::PaymentFailed => {
            return Err(order::Error::NotCancellable(order.status().as_str()).into());
        }
    }
    let cancelled = order::Event::from(order::Cancelled { reason: reason.to_owned() });
    let decision = Decision::on(&StreamId::order(order_id), [cancelled]).and(release(states, order)?);
    Ok(decision.and(let_money_go(states, order, refund_id)?))
}

/// A hold is voided, captured money refunded; a payment that is still asked for is voided when the gateway says yes.
fn let_money_go(states: &impl States, order: &Known, refund_id: RefundId) -> Result<Decision, Refusal> {
    let known = payment_of(states, order.payment_id)?;
    let reason = "the order was called off".to_owned();
    let event: payment::Event = match known.standing {
        Standing::Authorised if known.refundable().is_positive() => {
            check_new(known.refunds.contains_key(&refund_id), "refund")?;
            payment::RefundRequested { refund_id, amount: known.refundable(), reason }.into()
        }
        Standing::Authorised if !known.capture_committed().is_positive() => {
            payment::VoidRequested { reason }.into()
        }
        _ => return Ok(Decision::default()),
    };
    Ok(Decision::on(&StreamId::payment(order.payment_id), [event]))
}
