//! Orders that end before anything is sent.

use super::*;
use crate::order::{Cancelled, PaymentFailed};
use crate::tests::testing::given;
use crate::{Actor, Kind, order, payment};

fn expire(minutes: i64) -> Command {
    Command::ExpireOrder { order_id: ORDER, at: minute(minutes) }
}
fn cancel() -> Command {
    cancelled_by(BUYER)
}
fn cancelled_by(by: Actor) -> Command {
    Command::CancelOrder { order_id: ORDER, by, reason: "changed my mind".to_owned(), refund_id: REFUND }
}
fn expired() -> Vec<Happened> {
    and(vec![of_order(PaymentFailed { reason: "expired".to_owned() })], releasing())
}
fn cancelled() -> Vec<Happened> {
    and(vec![of_order(Cancelled { reason: "changed my mind".to_owned() })], releasing())
}

#[test]
fn an_order_that_is_not_paid_in_time_frees_its_stock() {
    given(pending()).when(expire(15)).then(expired());
    given(pending()).when(expire(99)).then(expired());
}

#[test]
fn an_order_that_has_time_left_waits_on() {
    given(pending()).when(expire(14)).then_nothing();
}

#[test]
fn an_order_that_no_longer_waits_does_not_expire() {
    for history in [confirmed(), shipped(), and(pending(), expired()), and(pending(), cancelled())] {
        given(history).when(expire(99)).then_nothing();
    }
}

#[test]
fn an_order_that_waits_for_its_payment_can_be_called_off() {
    given(pending()).when(cancel()).then(cancelled());
}

#[test]
fn calling_off_a_paid_order_lets_the_hold_go() {
    let void = of_payment(payment::VoidRequested { reason: "the order was called off".to_owned() });
    given(confirmed()).when(cancel()).then(and(cancelled(), [void]));
}

#[test]
fn calling_off_a_captured_order_gives_the_money_back() {
    let refund = refund_requested(REFUND, 30_500, "the order was called off");
    given(confirmed_and_captured()).when(cancel()).then(and(cancelled(), [refund]));
}

#[test]
fn only_what_did_not_go_back_before_goes_back() {
    let goodwill = refund_requested(REFUND_2, 500, "goodwill");
    let refund = refund_requested(REFUND, 30_000, "the order was called off");
    given(and(confirmed_and_captured(), [goodwill])).when(cancel()).then(and(cancelled(), [refund]));
    let all = refund_requested(REFUND_2, 30_500, "goodwill");
    given(and(confirmed_and_captured(), [all])).when(cancel()).then(cancelled());
}

#[test]
fn a_refund_needs_an_id_of_its_own() {
    let earlier = refund_requested(REFUND, 500, "goodwill");
    let refusal = given(and(confirmed_and_captured(), [earlier])).when(cancel()).then_err("already-exists");
    assert_eq!(refusal.kind, Kind::Conflict);
}

#[test]
fn calling_off_twice_is_calling_off_once() {
    given(and(confirmed(), cancelled())).when(cancel()).then_nothing();
}

#[test]
fn what_was_sent_even_in_part_cannot_be_called_off() {
    let part = of_order(sent(SHIPMENT, vec![pieces("A", 1)]));
    for history in [and(confirmed(), [part]), shipped(), delivered()] {
        let refusal = given(history).when(cancel()).then_err("order-not-cancellable");
        assert_eq!(refusal.kind, Kind::Conflict);
    }
}

#[test]
fn an_order_that_was_not_paid_cannot_be_called_off() {
    given(and(pending(), expired())).when(cancel()).then_err("order-not-cancellable");
}

#[test]
fn somebody_elses_order_cannot_be_called_off() {
    for stranger in [Actor::Customer(STRANGER), Actor::Guest(CART)] {
        assert_eq!(
            given(confirmed()).when(cancelled_by(stranger)).then_err("not-found").kind,
            Kind::NotFound
        );
    }
    given(pending()).when(cancelled_by(STAFF)).then(cancelled());
}

#[test]
fn there_must_be_an_order() {
    given([]).when(cancel()).then_err("not-found");
    given([]).when(expire(15)).then_err("not-found");
    given([of_order(placed())]).when(cancel()).then_err("unknown-sku");
}

#[test]
fn a_called_off_order_says_so() {
    let world = crate::tests::testing::World::of(and(confirmed(), cancelled()));
    let status = order::state_of(world.states(), ORDER).unwrap().status();
    assert_eq!(status, Some(order::Status::Cancelled));
}
