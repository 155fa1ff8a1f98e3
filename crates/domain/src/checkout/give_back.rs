//! Goods come back, and money goes back.

use super::{check_amount, check_new, order_of, payment_of, stock_part};
use crate::command::{Decision, States};
use crate::ids::{OrderId, RefundId, ReturnId};
use crate::order::{self, Known, Pieces};
use crate::{Kind, Money, Refusal, StreamId, payment, stock};

/// A return has arrived: restocked or not, and its refund requested.
pub(super) fn receive(
    states: &impl States,
    order_id: OrderId,
    return_id: ReturnId,
    refund_id: RefundId,
    amount: Option<Money>,
    restock: bool,
) -> Result<Decision, Refusal> {
    let order = order_of(states, order_id)?;
    let Some(back) = order.returns.get(&return_id) else { return Err(order::Error::NoSuch("return").into()) };
    if back.received {
        return Ok(Decision::default());
    }
    let known = payment_of(states, order.payment_id)?;
    let refundable = known.refundable();
    let refund = match amount {
        // Staff may take goods back for nothing: they came back broken, or the money went back before.
        Some(amount) if amount == Money::zero(refundable.currency) => amount,
        Some(amount) => within(amount, refundable)?,
        None => {
            let worth = worth(order, &back.lines)?;
            Money { amount: worth.amount.min(refundable.amount), ..worth }
        }
    };
    let received = order::ReturnReceived { return_id, refund, restocked: restock };
    let mut decision = Decision::on(&StreamId::order(order_id), [order::Event::from(received)]);
    if restock {
        for each in &back.lines {
            let action = stock::Action::Restock { order_id, return_id, quantity: each.quantity };
            decision = decision.and(stock_part(states, &each.sku, action)?);
        }
    }
    if refund.is_positive() {
        check_new(known.refunds.contains_key(&refund_id), "refund")?;
        let requested = payment::RefundRequested { refund_id, amount: refund, reason: "return".to_owned() };
        decision = decision
            .and(Decision::on(&StreamId::payment(order.payment_id), [payment::Event::from(requested)]));
    }
    Ok(decision)
}

/// Staff gives money back.
pub(super) fn refund(
    states: &impl States,
    order_id: OrderId,
    refund_id: RefundId,
    amount: Option<Money>,
    reason: &str,
) -> Result<Decision, Refusal> {
    let order = order_of(states, order_id)?;
    let known = payment_of(states, order.payment_id)?;
    if known.refunds.contains_key(&refund_id) {
        return Ok(Decision::default());
    }
    let refundable = known.refundable();
    let amount = within(amount.unwrap_or(refundable), refundable)?;
    let requested = payment::RefundRequested { refund_id, amount, reason: reason.to_owned() };
    Ok(Decision::on(&StreamId::payment(order.payment_id), [payment::Event::from(requested)]))
}

fn within(amount: Money, refundable: Money) -> Result<Money, Refusal> {
    if !refundable.is_positive() {
        return Err(Refusal::new(
            Kind::Conflict,
            "refund-too-high",
            "nothing is captured that could be refunded",
        )
        .at("/amount"));
    }
    check_amount(amount, refundable)?;
    if amount.amount > refundable.amount {
        let detail = format!("{amount} is more than the {refundable} that can be refunded");
        return Err(Refusal::new(Kind::Conflict, "refund-too-high", detail).at("/amount"));
    }
    Ok(amount)
}

fn worth(order: &Known, pieces: &[Pieces]) -> Result<Money, Refusal> {
    pieces.iter().try_fold(Money::zero(order.total.currency), |sum, each| match order.lines.get(&each.sku) {
        Some(line) => Ok(sum.checked_add(line.unit_price.checked_mul(each.quantity)?)?),
        None => Ok(sum),
    })
}
