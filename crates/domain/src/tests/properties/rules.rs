//! The rules that must hold after every accepted decision.

use super::super::testing::{Happened, World};
use crate::order::{self, Stage, Status, contained_tax};
use crate::payment::{self, Standing};
use crate::{Event, Money, State};

fn orders(world: &World) -> impl Iterator<Item = &order::Known> {
    world.states().values().filter_map(|state| match state {
        State::Order(state) => state.known(),
        _ => None,
    })
}

/// Of the events of one decision: an order's sums are the sums of its parts.
pub(super) fn events(events: &[Happened]) {
    for (_, event) in events {
        let Event::Order(order::Event::Placed(placed)) = event else { continue };
        let (mut subtotal, mut tax) =
            (0, contained_tax(placed.shipping_fee, &placed.country).unwrap().amount);
        for line in &placed.lines {
            assert!(line.quantity > 0);
            assert_eq!(line.total, line.unit_price.checked_mul(line.quantity).unwrap());
            assert!((0..=line.total.amount).contains(&line.tax.amount));
            subtotal += line.total.amount;
            tax += line.tax.amount;
        }
        assert_eq!(placed.subtotal.amount, subtotal);
        assert_eq!(placed.total.amount, subtotal + placed.shipping_fee.amount);
        assert_eq!(placed.tax.amount, tax);
        assert!(placed.tax.amount <= placed.total.amount);
    }
}

/// Of all states together.
pub(super) fn states(world: &World) {
    for state in world.states().values() {
        match state {
            State::Payment(state) => state.known().into_iter().for_each(|known| payment(world, known)),
            State::Order(state) => state.known().into_iter().for_each(|known| order(world, known)),
            _ => {}
        }
    }
    stock(world);
}

fn stock(world: &World) {
    for (stream, state) in world.states() {
        let State::Stock(state) = state else { continue };
        assert!(state.available() >= 0, "{stream} is oversold");
        assert!(state.reserved() >= 0, "{stream} holds less than nothing");
        let sku = super::super::examples::sku(stream.key());
        let mut held = 0;
        for order in orders(world) {
            let waiting = order.lines.get(&sku).map_or(0, |line| line.quantity - line.shipped);
            let alive = matches!(order.stage, Stage::Pending { .. } | Stage::Confirmed);
            let wanted = if alive { waiting } else { 0 };
            assert_eq!(state.held_for(order.order_id), wanted, "{stream} for {}", order.order_id);
            held += i64::from(wanted);
        }
        assert_eq!(state.reserved(), held, "{stream} holds for nobody");
    }
}

fn payment(world: &World, known: &payment::Known) {
    let (captured, amount) = (known.captured().amount, known.amount.amount);
    assert!(captured <= amount, "more is captured than was authorised");
    assert!(known.capture_committed().amount <= amount, "more is asked for than was authorised");
    assert!(
        known.refunded().amount + known.disputed().amount <= captured,
        "more went back than was captured"
    );
    let order =
        orders(world).find(|order| order.order_id == known.order_id).expect("a payment has its order");
    assert_eq!(order.payment_id.0, payment_id(world, known), "the order has another payment");
    assert_eq!((order.total, order.refunded), (known.amount, known.refunded()));
    match known.standing {
        Standing::Authorised => assert!(known.reference.is_some()),
        _ => assert_eq!(
            known.capture_committed(),
            Money::zero(known.amount.currency),
            "captured without a hold"
        ),
    }
}

fn payment_id(world: &World, wanted: &payment::Known) -> uuid::Uuid {
    let is = |state: &State| matches!(state, State::Payment(state) if state.known() == Some(wanted));
    let (stream, _) = world.states().iter().find(|(_, state)| is(state)).expect("it is there");
    stream.key().parse().unwrap()
}

fn order(world: &World, known: &order::Known) {
    let mut total = known.shipping_fee.amount;
    for line in known.lines.values() {
        total += line.unit_price.checked_mul(line.quantity).unwrap().amount;
        assert!(line.returned <= line.return_requested);
        assert!(line.return_requested <= line.delivered);
        assert!(line.delivered <= line.shipped && line.shipped <= line.quantity);
    }
    assert_eq!(known.total.amount, total, "the total is not the sum of the parts");
    let payment =
        payment::state_of(world, known.payment_id).unwrap().known().expect("an order has its payment");
    let sent = known.lines.values().any(|line| line.shipped > 0);
    match known.stage {
        Stage::Pending { .. } => assert_eq!(payment.standing, Standing::Requested),
        Stage::Confirmed => {
            assert_eq!(payment.standing, Standing::Authorised);
            let all_sent = known.lines.values().all(|line| line.shipped == line.quantity);
            if all_sent && payment.captures.values().all(|capture| capture.done != Some(false)) {
                assert_eq!(payment.capture_committed(), known.total, "sent and not asked for");
            }
        }
        Stage::PaymentFailed | Stage::Cancelled => {
            assert!(!sent, "it ended after it was sent");
            let holds = payment.standing == Standing::Authorised && payment.captures.is_empty();
            assert!(!holds, "it ended and the buyer's money is still held");
        }
    }
}

/// Of what changed: nothing that ended begins again.
pub(super) fn moves(before: &World, after: &World) {
    for (stream, old) in before.states() {
        match (old, &after.states()[stream]) {
            (State::Order(old), State::Order(new)) => {
                let (old, new) = (old.status(), new.status());
                let legal = old.zip(new).is_none_or(|(old, new)| old == new || order_may(old, new));
                assert!(legal, "{stream} went from {old:?} to {new:?}");
            }
            (State::Payment(old), State::Payment(new)) => {
                if let (Some(old), Some(new)) = (old.known(), new.known()) {
                    payment_moves(old, new);
                }
            }
            (State::Cart(crate::cart::State::CheckedOut { .. }), new) => assert_eq!(old, new),
            _ => {}
        }
    }
}

fn order_may(old: Status, new: Status) -> bool {
    use Status::*;
    match old {
        PendingPayment => matches!(new, Confirmed | PaymentFailed | Cancelled),
        Confirmed => matches!(new, PartiallyShipped | Shipped | Cancelled | PartiallyRefunded | Refunded),
        PartiallyShipped => matches!(new, Shipped | PartiallyReturned | PartiallyRefunded | Refunded),
        Shipped => matches!(new, Delivered | PartiallyReturned | PartiallyRefunded | Refunded),
        Delivered => matches!(new, PartiallyReturned | Returned | PartiallyRefunded | Refunded),
        PartiallyReturned => matches!(new, Returned | PartiallyRefunded | Refunded),
        Returned => matches!(new, PartiallyRefunded | Refunded),
        PartiallyRefunded => matches!(new, Refunded | Cancelled),
        Refunded => new == Cancelled,
        PaymentFailed | Cancelled => false,
    }
}

fn payment_moves(old: &payment::Known, new: &payment::Known) {
    use Standing::*;
    let legal = match old.standing {
        Requested => new.standing != Voided,
        Authorised => matches!(new.standing, Authorised | VoidRequested),
        VoidRequested => matches!(new.standing, VoidRequested | Voided),
        Failed | Voided => new.standing == old.standing,
    };
    assert!(legal, "a payment went from {:?} to {:?}", old.standing, new.standing);
    assert_eq!((old.order_id, old.amount), (new.order_id, new.amount));
    let captures = old.captures.iter().map(|(id, old)| (old, &new.captures[id]));
    let refunds = old.refunds.iter().map(|(id, old)| (old, &new.refunds[id]));
    for (old, new) in captures.chain(refunds) {
        assert_eq!(old.amount, new.amount, "an amount changed");
        assert!(old.done.is_none() || old.done == new.done, "what ended began again");
    }
    for (id, amount) in &old.disputes {
        assert_eq!(new.disputes[id], *amount);
    }
}
