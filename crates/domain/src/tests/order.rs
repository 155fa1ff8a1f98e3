//! Orders alone.

use super::examples::*;
use super::testing::{Happened, given};
use crate::ids::{ReturnId, ShipmentId};
use crate::order::{
    Cancelled, Command, PaymentFailed, Pieces, Refunded, ReturnReceived, ReturnRequested, ShipmentDelivered,
    Status,
};
use crate::{Actor, Kind, State, StreamId};

fn deliver(shipment_id: ShipmentId) -> Command {
    Command::Deliver { order_id: ORDER, shipment_id }
}
fn give_back(return_id: ReturnId, lines: Option<Vec<Pieces>>) -> Command {
    by(BUYER, return_id, lines)
}
fn by(by: Actor, return_id: ReturnId, lines: Option<Vec<Pieces>>) -> Command {
    Command::RequestReturn { order_id: ORDER, by, return_id, lines, reason: "too small".to_owned() }
}
fn asked(return_id: ReturnId, lines: Vec<Pieces>) -> Happened {
    of_order(ReturnRequested { return_id, lines, reason: "too small".to_owned() })
}
fn status(events: Vec<Happened>) -> Status {
    let world = super::testing::World::of(events);
    match &world.states()[&StreamId::order(ORDER)] {
        State::Order(state) => state.status().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_shipment_arrives_once() {
    let arrived = of_order(ShipmentDelivered { shipment_id: SHIPMENT });
    given(shipped()).when(deliver(SHIPMENT)).then([arrived]);
    given(delivered()).when(deliver(SHIPMENT)).then_nothing();
}

#[test]
fn a_shipment_that_was_not_sent_cannot_arrive() {
    for history in [confirmed(), shipped()] {
        assert_eq!(given(history).when(deliver(SHIPMENT_2)).then_err("not-found").kind, Kind::NotFound);
    }
}

#[test]
fn there_must_be_an_order() {
    given([]).when(deliver(SHIPMENT)).then_err("not-found");
    given([]).when(give_back(RETURN, None)).then_err("not-found");
}

#[test]
fn what_arrived_can_be_given_back() {
    let some = vec![pieces("A", 1)];
    given(delivered()).when(give_back(RETURN, Some(some.clone()))).then([asked(RETURN, some)]);
    given(delivered())
        .when(give_back(RETURN, None))
        .then([asked(RETURN, vec![pieces("A", 2), pieces("B", 1)])]);
}

#[test]
fn a_return_is_asked_for_once() {
    given(return_requested()).when(give_back(RETURN, None)).then_nothing();
}

#[test]
fn what_was_given_back_already_is_not_counted_again() {
    given(return_requested())
        .when(give_back(RETURN_2, None))
        .then([asked(RETURN_2, vec![pieces("A", 1), pieces("B", 1)])]);
    given(return_requested())
        .when(give_back(RETURN_2, Some(vec![pieces("A", 2)])))
        .then_err("invalid-quantity");
}

#[test]
fn a_sku_that_is_asked_for_twice_is_added_up() {
    let twice = vec![pieces("A", 1), pieces("A", 1)];
    given(delivered()).when(give_back(RETURN, Some(twice))).then([asked(RETURN, vec![pieces("A", 2)])]);
    for wrong in [vec![pieces("A", 2), pieces("A", 1)], vec![pieces("A", u32::MAX), pieces("A", 3)]] {
        given(delivered()).when(give_back(RETURN, Some(wrong))).then_err("invalid-quantity");
    }
}

#[test]
fn only_pieces_of_the_order_can_be_given_back() {
    for wrong in [pieces("A", 0), pieces("A", 3), pieces("C", 1)] {
        let refusal =
            given(delivered()).when(give_back(RETURN, Some(vec![wrong]))).then_err("invalid-quantity");
        assert_eq!((refusal.kind, refusal.field), (Kind::Invalid, Some("/lines")));
    }
}

#[test]
fn what_has_not_arrived_cannot_be_given_back() {
    for history in [pending(), confirmed(), shipped()] {
        assert_eq!(
            given(history).when(give_back(RETURN, None)).then_err("nothing-to-return").kind,
            Kind::Conflict
        );
    }
    given(delivered()).when(give_back(RETURN, Some(Vec::new()))).then_err("nothing-to-return");
    given(shipped()).when(give_back(RETURN, Some(vec![pieces("A", 1)]))).then_err("invalid-quantity");
}

#[test]
fn everything_can_be_given_back_once() {
    let all = asked(RETURN, vec![pieces("A", 2), pieces("B", 1)]);
    given([delivered(), vec![all]].concat()).when(give_back(RETURN_2, None)).then_err("nothing-to-return");
}

#[test]
fn somebody_elses_order_is_not_there() {
    for stranger in [Actor::Customer(STRANGER), Actor::Guest(CART)] {
        given(delivered()).when(by(stranger, RETURN, None)).then_err("not-found");
    }
    given(delivered())
        .when(by(STAFF, RETURN, Some(vec![pieces("B", 1)])))
        .then([asked(RETURN, vec![pieces("B", 1)])]);
}

#[test]
fn the_status_says_how_far_it_has_come() {
    let and = |history: Vec<Happened>, event: Happened| [history, vec![event]].concat();
    let half = of_order(sent(SHIPMENT, vec![pieces("A", 1)]));
    let back = |return_id| of_order(ReturnReceived { return_id, refund: krw(0), restocked: false });
    let everything = and(delivered(), asked(RETURN, vec![pieces("A", 2), pieces("B", 1)]));
    let refunded = |amount| of_order(Refunded { refund_id: REFUND, amount: krw(amount) });
    assert_eq!(status(pending()), Status::PendingPayment);
    assert_eq!(status(confirmed()), Status::Confirmed);
    assert_eq!(status(and(confirmed(), half)), Status::PartiallyShipped);
    assert_eq!(status(shipped()), Status::Shipped);
    assert_eq!(status(delivered()), Status::Delivered);
    assert_eq!(status(return_requested()), Status::Delivered);
    assert_eq!(status(and(return_requested(), back(RETURN))), Status::PartiallyReturned);
    assert_eq!(status(and(everything, back(RETURN))), Status::Returned);
    assert_eq!(status(and(delivered(), refunded(30_499))), Status::PartiallyRefunded);
    assert_eq!(status(and(delivered(), refunded(30_500))), Status::Refunded);
    let failed = of_order(PaymentFailed { reason: "declined".to_owned() });
    assert_eq!(status(and(pending(), failed)), Status::PaymentFailed);
    assert_eq!(status(and(pending(), of_order(Cancelled { reason: String::new() }))), Status::Cancelled);
}

#[test]
fn what_is_folded_twice_counts_once() {
    let twice = |history: Vec<Happened>| {
        let last = history.last().cloned();
        let world = super::testing::World::of(history.into_iter().chain(last));
        world.states()[&StreamId::order(ORDER)].clone()
    };
    let once = |history| super::testing::World::of(history).states()[&StreamId::order(ORDER)].clone();
    assert_eq!(twice(delivered()), once(delivered()));
    let received = of_order(ReturnReceived { return_id: RETURN, refund: krw(0), restocked: false });
    let history = [return_requested(), vec![received]].concat();
    assert_eq!(twice(history.clone()), once(history));
}

#[test]
fn every_status_has_a_name_that_is_read_back() {
    for status in Status::ALL {
        assert_eq!(Status::parse(status.as_str()), Some(*status));
        assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
    }
    assert_eq!(Status::parse("lost"), None);
}
