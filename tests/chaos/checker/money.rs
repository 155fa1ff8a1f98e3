//! I9: the gateway's ledger, which is the truth about money, against the log.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::evidence::{Event, Evidence};
use super::Findings;

/// What one side says of a payment, in minor units.
#[derive(Debug, Default, PartialEq)]
struct Side {
    authorised: u32,
    held: i64,
    captured: i64,
    refunded: i64,
    voided: bool,
}

#[derive(Debug, Default)]
struct Order<'a> {
    payments: Vec<&'a str>,
    confirmed: bool,
    /// Not paid, or called off.
    over: bool,
}

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    let (ledger, log) = (of_ledger(&evidence.ledger), of_log(&evidence.events));
    for (payment, side) in &ledger {
        bounds(payment, side, found);
        let logged = log.get(payment);
        if logged != Some(side) && *side != Side::default() {
            found.add("I9", format!("payment {payment}: the gateway has {side:?}, the log {logged:?}"));
        }
    }
    for (payment, side) in
        log.iter().filter(|(payment, side)| !ledger.contains_key(*payment) && **side != Side::default())
    {
        found
            .add("I9", format!("payment {payment}: the log has {side:?}, the gateway has never heard of it"));
    }
    for (order, known) in orders(&evidence.events) {
        settled(order, &known, &ledger, found);
    }
}

fn bounds(payment: &str, side: &Side, found: &mut Findings) {
    let Side { authorised, held, captured, refunded, .. } = side;
    if *authorised > 1 || captured > held || refunded > captured {
        found.add("I9", format!("payment {payment} at the gateway: {side:?}"));
    }
}

/// An order that was charged is confirmed, or its money went back; no order is paid twice.
fn settled(order: &str, known: &Order<'_>, ledger: &BTreeMap<&str, Side>, found: &mut Findings) {
    let charged: Vec<_> = known.payments.iter().filter_map(|payment| ledger.get(payment)).collect();
    let kept = |side: &&&Side| side.authorised > 0 && !side.voided && side.refunded < side.held;
    let holds = charged.iter().filter(kept).count();
    if holds > 1 {
        found.add("I9", format!("order {order} is charged {holds} times"));
    }
    if holds == 1 && (known.over || !known.confirmed) {
        found.add("I9", format!("order {order} is charged and not confirmed: {charged:?}"));
    }
    if known.confirmed && charged.iter().all(|side| side.authorised == 0) {
        found.add("I9", format!("order {order} is confirmed and was never charged"));
    }
}

fn orders(events: &[Event]) -> BTreeMap<&str, Order<'_>> {
    let mut orders = BTreeMap::<&str, Order<'_>>::new();
    for event in events {
        if event.kind == "PaymentRequested" {
            let order = orders.entry(event.text("order_id")).or_default();
            order.payments.extend(event.key_in("payment"));
        }
        let Some(order) = event.key_in("order") else { continue };
        let order = orders.entry(order).or_default();
        match event.kind.as_str() {
            "OrderConfirmed" => order.confirmed = true,
            "OrderPaymentFailed" | "OrderCancelled" => order.over = true,
            _ => {}
        }
    }
    orders
}

fn of_ledger(entries: &[Value]) -> BTreeMap<&str, Side> {
    let mut sides = BTreeMap::<&str, Side>::new();
    for entry in entries {
        let side = sides.entry(entry["payment_id"].as_str().unwrap_or_default()).or_default();
        let amount = entry["amount"]["amount"].as_i64().unwrap_or_default();
        side.apply(entry["kind"].as_str().unwrap_or_default(), amount);
    }
    sides
}

fn of_log(events: &[Event]) -> BTreeMap<&str, Side> {
    let mut sides = BTreeMap::<&str, Side>::new();
    for event in events {
        let Some(payment) = event.key_in("payment") else { continue };
        let amount = event.data["amount"]["amount"].as_i64().unwrap_or_default();
        let kind = event.kind.trim_start_matches("Payment").to_lowercase();
        sides.entry(payment).or_default().apply(&kind, amount);
    }
    sides
}

impl Side {
    fn apply(&mut self, kind: &str, amount: i64) {
        match kind {
            "authorised" => {
                self.authorised += 1;
                self.held += amount;
            }
            "captured" => self.captured += amount,
            "refunded" => self.refunded += amount,
            "voided" => self.voided = true,
            _ => {}
        }
    }
}
