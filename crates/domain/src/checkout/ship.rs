//! Goods leave the house, and their price is captured.

use super::{Command, check_new, order_of, payment_of, stock_part};
use crate::command::{Decision, States};
use crate::ids::{CaptureId, ShipmentId};
use crate::order::{self, Known, LineState, Pieces, Stage, choose};
use crate::payment::{self, Standing};
use crate::{Money, Refusal, StreamId, stock};

/// Sends some or all of what is not sent yet.
pub(super) fn decide(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    let Command::ShipOrder { order_id, shipment_id, capture_id, lines, carrier, tracking_number } = command
    else {
        return Err(Refusal::not_loaded());
    };
    let order = order_of(states, *order_id)?;
    if order.shipments.contains_key(shipment_id) {
        return Ok(Decision::default());
    }
    let nothing = || order::Error::NothingToShip(order.status().as_str());
    if order.stage != Stage::Confirmed {
        return Err(nothing().into());
    }
    let pieces = choose(order, lines.as_deref(), not_sent)?;
    if pieces.is_empty() {
        return Err(nothing().into());
    }
    let sent = order::ShipmentSent {
        shipment_id: *shipment_id,
        lines: pieces.clone(),
        carrier: carrier.clone(),
        tracking_number: tracking_number.clone(),
    };
    let mut decision = Decision::on(&StreamId::order(*order_id), [order::Event::from(sent)]);
    for each in &pieces {
        let ship =
            stock::Action::Ship { order_id: *order_id, shipment_id: *shipment_id, quantity: each.quantity };
        decision = decision.and(stock_part(states, &each.sku, ship)?);
    }
    Ok(decision.and(capture(states, order, &pieces, *shipment_id, *capture_id)?))
}

fn not_sent(line: &LineState) -> u32 {
    line.quantity.saturating_sub(line.shipped)
}

/// The value of what is sent, with the shipping fee the first time; the last shipment takes exactly the rest.
fn capture(
    states: &impl States,
    order: &Known,
    pieces: &[Pieces],
    shipment_id: ShipmentId,
    capture_id: CaptureId,
) -> Result<Decision, Refusal> {
    let known = payment_of(states, order.payment_id)?;
    let left = known.amount.checked_sub(known.capture_committed())?;
    if known.standing != Standing::Authorised || !left.is_positive() {
        return Ok(Decision::default());
    }
    check_new(known.captures.contains_key(&capture_id), "capture")?;
    let sent: u64 = pieces.iter().map(|each| u64::from(each.quantity)).sum();
    let waiting: u64 = order.lines.values().map(|line| u64::from(not_sent(line))).sum();
    let amount = if sent == waiting { left } else { value(order, pieces)? };
    let amount = Money { amount: amount.amount.min(left.amount), ..left };
    let requested = payment::CaptureRequested { capture_id, amount, shipment_id: Some(shipment_id) };
    Ok(Decision::on(&StreamId::payment(order.payment_id), [payment::Event::from(requested)]))
}

fn value(order: &Known, pieces: &[Pieces]) -> Result<Money, Refusal> {
    let fee = if order.shipments.is_empty() { order.shipping_fee } else { Money::zero(order.total.currency) };
    pieces.iter().try_fold(fee, |sum, each| match order.lines.get(&each.sku) {
        Some(line) => Ok(sum.checked_add(line.unit_price.checked_mul(each.quantity)?)?),
        None => Ok(sum),
    })
}
