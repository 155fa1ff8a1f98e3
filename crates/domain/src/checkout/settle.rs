//! What the gateway decided reaches payment and order together.

use super::{Outcome, order_of, payment_of, release};
use crate::command::{Decision, States};
use crate::ids::{CaptureId, PaymentId, RefundId};
use crate::payment::{self, Standing};
use crate::{Kind, Money, Refusal, StreamId, order};

/// The authorisation is decided. An order that waits is confirmed or fails; one that no longer waits has the hold let go.
pub(super) fn payment(
    states: &impl States,
    payment_id: PaymentId,
    outcome: &Outcome,
    capture: Option<CaptureId>,
) -> Result<Decision, Refusal> {
    let known = payment_of(states, payment_id)?;
    let order = order_of(states, known.order_id)?;
    let (own, orders) = (StreamId::payment(payment_id), StreamId::order(known.order_id));
    match (known.standing, outcome) {
        (Standing::Requested, Outcome::Authorised { gateway_reference, amount }) => {
            if *amount != known.amount {
                let detail = format!("the gateway holds {amount} where {} was asked for", known.amount);
                return Err(Refusal::new(Kind::Conflict, "invalid-state", detail));
            }
            let authorised =
                payment::Authorised { gateway_reference: gateway_reference.clone(), amount: *amount };
            let mut events: Vec<payment::Event> = vec![authorised.into()];
            if let Some(capture_id) = capture {
                events.push(
                    payment::CaptureRequested { capture_id, amount: *amount, shipment_id: None }.into(),
                );
                events.push(payment::Captured { capture_id, amount: *amount }.into());
            }
            if order.is_pending() {
                let confirmed = order::Event::from(order::Confirmed { payment_id });
                return Ok(Decision::on(&own, events).and(Decision::on(&orders, [confirmed])));
            }
            let reason = "the order no longer waits for it".to_owned();
            events.push(match capture {
                // The refund's id follows from the payment's, so that saying it twice is saying it once.
                Some(_) => {
                    payment::RefundRequested { refund_id: RefundId(payment_id.0), amount: *amount, reason }
                        .into()
                }
                None => payment::VoidRequested { reason }.into(),
            });
            Ok(Decision::on(&own, events))
        }
        (Standing::Requested, Outcome::Declined { reason }) => {
            let failed = payment::Event::from(payment::Failed { reason: reason.clone() });
            let decision = Decision::on(&own, [failed]);
            if !order.is_pending() {
                return Ok(decision);
            }
            let failed = order::Event::from(order::PaymentFailed { reason: reason.clone() });
            Ok(decision.and(Decision::on(&orders, [failed])).and(release(states, order)?))
        }
        // Said before: by the webhook, by the answer of the call, or by our own question. They commute.
        (Standing::Authorised | Standing::VoidRequested | Standing::Voided, Outcome::Authorised { .. })
        | (Standing::Failed, Outcome::Declined { .. }) => Ok(Decision::default()),
        (standing, outcome) => {
            let detail = format!("the gateway says {outcome:?} of a payment that is {}", standing.as_str());
            Err(Refusal::new(Kind::Conflict, "invalid-state", detail))
        }
    }
}

/// The gateway has given money back.
pub(super) fn refund(
    states: &impl States,
    payment_id: PaymentId,
    refund_id: RefundId,
    amount: Money,
) -> Result<Decision, Refusal> {
    let known = payment_of(states, payment_id)?;
    if !payment::settle_refund(known, known.refunds.get(&refund_id), amount)? {
        return Ok(Decision::default());
    }
    let payment = payment::Event::from(payment::Refunded { refund_id, amount });
    let order = order::Event::from(order::Refunded { refund_id, amount });
    Ok(Decision::on(&StreamId::payment(payment_id), [payment])
        .and(Decision::on(&StreamId::order(known.order_id), [order])))
}
