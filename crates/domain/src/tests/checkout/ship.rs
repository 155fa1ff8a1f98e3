//! Goods leave the house.

use super::*;
use crate::ids::{CaptureId, ShipmentId};
use crate::order::{Cancelled, Pieces};
use crate::tests::testing::{World, given};
use crate::{Kind, payment, stock};

fn second(lines: Option<Vec<Pieces>>) -> Command {
    Command::ShipOrder {
        order_id: ORDER,
        shipment_id: SHIPMENT_2,
        capture_id: CAPTURE_2,
        lines,
        carrier: "CJ".to_owned(),
        tracking_number: "123".to_owned(),
    }
}
fn left(of: &str, shipment_id: ShipmentId, quantity: u32) -> Happened {
    of_stock(of, stock::Shipped { order_id: ORDER, shipment_id, quantity })
}
fn one_a() -> Vec<Happened> {
    vec![
        of_order(sent(SHIPMENT, vec![pieces("A", 1)])),
        left("A", SHIPMENT, 1),
        capture_requested(CAPTURE, 14_000, Some(SHIPMENT)),
    ]
}

#[test]
fn sending_everything_captures_everything() {
    given(confirmed()).when(ship(None)).then(sending());
    let all = vec![pieces("B", 1), pieces("A", 2)];
    given(confirmed()).when(ship(Some(all))).then(sending());
}

#[test]
fn the_first_part_is_captured_with_the_shipping_fee() {
    given(confirmed()).when(ship(Some(vec![pieces("A", 1)]))).then(one_a());
}

#[test]
fn the_next_part_is_captured_without_it() {
    let next = [
        of_order(sent(SHIPMENT_2, vec![pieces("A", 1)])),
        left("A", SHIPMENT_2, 1),
        capture_requested(CAPTURE_2, 11_000, Some(SHIPMENT_2)),
    ];
    given(and(confirmed(), one_a())).when(second(Some(vec![pieces("A", 1)]))).then(next);
}

#[test]
fn the_last_part_captures_exactly_the_rest() {
    let rest = [
        of_order(sent(SHIPMENT_2, vec![pieces("A", 1), pieces("B", 1)])),
        left("A", SHIPMENT_2, 1),
        left("B", SHIPMENT_2, 1),
        capture_requested(CAPTURE_2, 16_500, Some(SHIPMENT_2)),
    ];
    given(and(confirmed(), one_a())).when(second(None)).then(rest);
}

#[test]
fn a_capture_that_failed_is_asked_for_again_with_the_last_part() {
    let failed = of_payment(payment::CaptureFailed { capture_id: CAPTURE, reason: "limit".to_owned() });
    let history = and(and(confirmed(), one_a()), [failed]);
    let mut world = World::of(history);
    let decision = world.decide(&second(None).into()).unwrap();
    assert_eq!(decision.events.last(), Some(&capture_requested(CAPTURE_2, 30_500, Some(SHIPMENT_2))));
}

#[test]
fn what_was_captured_at_once_is_not_captured_again() {
    let without_capture = &sending()[..3];
    given(confirmed_and_captured()).when(ship(None)).then(without_capture.to_vec());
}

#[test]
fn a_shipment_is_sent_once() {
    given(and(confirmed(), one_a())).when(ship(None)).then_nothing();
    given(shipped()).when(ship(Some(vec![pieces("A", 2)]))).then_nothing();
}

#[test]
fn a_capture_needs_an_id_of_its_own() {
    let mut again = second(None);
    if let Command::ShipOrder { capture_id, .. } = &mut again {
        *capture_id = CAPTURE;
    }
    let refusal = given(and(confirmed(), one_a())).when(again).then_err("already-exists");
    assert_eq!(refusal.kind, Kind::Conflict);
    assert_ne!(CAPTURE, CaptureId(SHIPMENT.0));
}

#[test]
fn no_more_is_sent_than_was_bought() {
    let wrong = [vec![pieces("A", 3)], vec![pieces("A", 0)], vec![pieces("C", 1)], vec![pieces("A", 1); 3]];
    for lines in wrong {
        let refusal = given(confirmed()).when(ship(Some(lines))).then_err("invalid-quantity");
        assert_eq!((refusal.kind, refusal.field), (Kind::Invalid, Some("/lines")));
    }
    given(and(confirmed(), one_a())).when(second(Some(vec![pieces("A", 2)]))).then_err("invalid-quantity");
}

#[test]
fn what_is_all_sent_or_not_paid_or_ended_cannot_be_sent() {
    let cancelled = and(confirmed(), [of_order(Cancelled { reason: String::new() })]);
    for history in [pending(), shipped(), delivered(), cancelled] {
        assert_eq!(given(history).when(second(None)).then_err("nothing-to-ship").kind, Kind::Conflict);
    }
    given(confirmed()).when(ship(Some(Vec::new()))).then_err("nothing-to-ship");
}

#[test]
fn there_must_be_an_order() {
    given([]).when(ship(None)).then_err("not-found");
}

#[test]
fn only_what_the_stock_item_holds_for_the_order_leaves() {
    let released = of_stock("B", stock::Released { order_id: ORDER, quantity: 1 });
    given(and(confirmed(), [released])).when(ship(None)).then_err("invalid-state");
}
