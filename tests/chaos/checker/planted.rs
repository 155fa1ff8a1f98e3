//! The checker itself (I13): damage is planted in evidence that is sound, one thing at a time, and must be found.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::evidence::{Command, Event, Evidence};
use super::super::history::{History, Op, Outcome, Place, Read};
use super::check;

const EPOCH: Uuid = Uuid::from_u128(99);

fn id(number: i64) -> Uuid {
    Uuid::from_u128(u128::try_from(number).unwrap())
}

/// One piece comes in, is bought, paid, sent and captured.
fn events() -> Vec<Event> {
    let money = json!({"amount": 100, "currency": "KRW"});
    [
        (1, "stock-A", 1, "StockReceived", json!({"quantity": 1, "reason": "delivery"})),
        (2, "stock-A", 2, "StockReserved", json!({"order_id": "o", "quantity": 1})),
        (2, "order-o", 1, "OrderPlaced", json!({"order_id": "o", "payment_id": "p"})),
        (2, "payment-p", 1, "PaymentRequested", json!({"order_id": "o", "amount": money})),
        (3, "payment-p", 2, "PaymentAuthorised", json!({"amount": money})),
        (3, "order-o", 2, "OrderConfirmed", json!({"payment_id": "p"})),
        (4, "stock-A", 3, "StockShipped", json!({"order_id": "o", "quantity": 1})),
        (4, "order-o", 3, "OrderShipmentSent", json!({})),
        (5, "payment-p", 3, "PaymentCaptured", json!({"amount": money})),
    ]
    .into_iter()
    .zip(1..)
    .map(|((command, stream, version, kind, data), position)| Event {
        position,
        stream: stream.to_owned(),
        version,
        kind: kind.to_owned(),
        event_id: id(100 + position),
        command_id: id(command),
        scope: 1,
        data,
    })
    .collect()
}

fn commands() -> Vec<Command> {
    [
        (1, 1, 1, json!({})),
        (2, 2, 4, json!({"order_id": "o"})),
        (3, 5, 6, json!({})),
        (4, 7, 8, json!({})),
        (5, 9, 9, json!({})),
    ]
    .into_iter()
    .map(|(command, first, last, answer)| Command {
        command_id: id(command),
        scope: 1,
        first_position: Some(first),
        last_position: Some(last),
        answer,
    })
    .collect()
}

fn op(key: i64, seconds: u64, outcome: Outcome) -> Op {
    let begun = Duration::from_secs(seconds);
    let ended = begun + Duration::from_millis(500);
    Op { client: 0, name: "do", key: id(key), begun, ended, in_doubt: 0, outcome }
}

fn acknowledged(position: i64, body: Value) -> Outcome {
    Outcome::Acknowledged { place: Some(Place { epoch: EPOCH, position }), body }
}

fn history() -> History {
    let refused = Outcome::Refused { status: 409, code: "out-of-stock".to_owned() };
    let ops = vec![
        op(1, 1, acknowledged(1, json!({}))),
        op(2, 2, acknowledged(4, json!({"order_id": "o", "status": "confirmed"}))),
        op(7, 3, refused),
        op(8, 3, Outcome::Unknown { last: "time-out".to_owned() }),
        op(4, 4, acknowledged(8, json!({}))),
    ];
    let reads = vec![Read { client: 0, path: "/v1/stock/A".to_owned(), status: Some(200), lie: None }];
    History { ops, reads, wrong: Vec::new() }
}

fn sound() -> Evidence {
    let money = json!({"amount": 100, "currency": "KRW"});
    let entry = |kind: &str| json!({"kind": kind, "payment_id": "p", "amount": money});
    Evidence {
        history: history(),
        epoch: EPOCH,
        head: 9,
        events: events(),
        commands: commands(),
        ledger: ["accepted", "authorised", "captured"].map(entry).into(),
        steps_left: Vec::new(),
        said: vec![("relay-1".to_owned(), "leads".to_owned())],
        secrets: vec!["sesame".to_owned()],
        broken: Vec::new(),
        verified: 1,
    }
}

/// What is broken once that is done to it.
fn after(damage: impl FnOnce(&mut Evidence)) -> BTreeSet<&'static str> {
    let mut evidence = sound();
    damage(&mut evidence);
    check(&evidence).into_iter().map(|violation| violation.invariant).collect()
}

#[track_caller]
fn finds(invariant: &str, damage: impl FnOnce(&mut Evidence)) {
    let found = after(damage);
    assert!(found.contains(invariant), "{invariant} was not found, only {found:?}");
}

#[test]
fn what_is_sound_is_found_sound() {
    assert_eq!(check(&sound()), Vec::new());
}

#[test]
fn an_acknowledged_command_that_is_gone_or_there_twice() {
    finds("I1", |all| drop(all.commands.remove(0)));
    finds("I1", |all| {
        let other =
            Command { scope: 2, first_position: None, last_position: None, ..all.commands[0].clone() };
        all.commands.push(other);
    });
}

#[test]
fn a_refused_command_that_was_done_and_an_unknown_one_that_was_done_twice() {
    let done = |key: i64, scope| Command {
        command_id: id(key),
        scope,
        first_position: None,
        last_position: None,
        answer: json!({}),
    };
    finds("I1", |all| all.commands.push(done(7, 1)));
    finds("I1", |all| all.commands.extend([done(8, 1), done(8, 2)]));
    assert_eq!(after(|all| all.commands.push(done(8, 1))), BTreeSet::new(), "once it may be");
    let doubted = after(|all| {
        all.commands.push(done(7, 1));
        all.history.ops[2].in_doubt = 1;
    });
    assert_eq!(doubted, BTreeSet::new(), "a try before the refusal may have come through");
}

#[test]
fn another_answer_than_the_log_keeps() {
    finds("I1", |all| all.commands[1].answer = json!({"order_id": "another"}));
}

#[test]
fn an_event_that_is_deleted_doubled_or_swapped() {
    finds("I2", |all| drop(all.events.remove(4)));
    finds("I2", |all| drop(all.events.pop()));
    finds("I2", |all| all.events[3].event_id = all.events[2].event_id);
    finds("I2", |all| {
        let again = all.events[8].clone();
        all.events.push(Event { position: 10, event_id: id(999), ..again });
        all.head = 10;
    });
    finds("I2", |all| {
        all.events.swap(0, 1);
        (all.events[0].position, all.events[1].position) = (1, 2);
    });
    finds("I2", |all| all.events[8].version = 4);
}

#[test]
fn an_order_of_the_log_that_is_not_that_of_time() {
    finds("I3", |all| {
        let first = all.history.ops[0].begun;
        all.history.ops[0].begun = all.history.ops[4].ended + Duration::from_secs(1);
        all.history.ops[0].ended = all.history.ops[0].begun + first;
    });
}

#[test]
fn a_command_that_is_there_in_part() {
    finds("I4", |all| all.events[3].command_id = id(3));
    finds("I4", |all| all.commands[1].last_position = Some(5));
    finds("I4", |all| all.commands[1].first_position = Some(3));
    finds("I4", |all| drop(all.commands.pop()));
}

#[test]
fn what_verify_has_found() {
    let checks = [
        ("I5", "every partition has all that the log has: 3 are missing"),
        (
            "I5",
            "what a fresh consumer reads is the log, in order, each event once: position 7 is there twice",
        ),
        ("I6", "orders is a fresh fold of the log: 1 row differs"),
        ("I8", "stock is never below zero: A"),
        ("I9", "no order is charged twice: o"),
        ("I12", "no stream is parked: order-o"),
    ];
    for (invariant, check) in checks {
        finds(invariant, |all| all.broken.push(check.to_owned()));
    }
    finds("I6", |all| all.verified = 0);
}

#[test]
fn a_token_that_lies() {
    finds("I7", |all| all.history.ops[1].outcome = acknowledged(3, json!({})));
    finds("I7", |all| all.history.ops[4].outcome = acknowledged(10, json!({})));
    finds("I7", |all| {
        all.history.ops[1].outcome = Outcome::Acknowledged { place: None, body: json!({}) };
    });
    finds("I7", |all| all.epoch = id(1));
    finds("I7", |all| all.history.reads[0].lie = Some("an order that was placed is not shown".to_owned()));
}

#[test]
fn what_is_sold_twice() {
    finds("I8", |all| all.events[1].data["quantity"] = json!(2));
    finds("I8", |all| all.events[6].data["quantity"] = json!(2));
    finds("I8", |all| all.events[6].data["order_id"] = json!("another"));
}

#[test]
fn money_that_does_not_agree() {
    let entry = |kind: &str, payment: &str| json!({"kind": kind, "payment_id": payment, "amount": {"amount": 100, "currency": "KRW"}});
    for kind in ["authorised", "captured", "refunded", "voided"] {
        finds("I9", |all| all.ledger.push(entry(kind, "p")));
    }
    finds("I9", |all| all.ledger.push(entry("authorised", "nobody's")));
    finds("I9", |all| drop(all.ledger.pop()));
    finds("I9", |all| all.ledger.clear());
    // Charged twice, each time by another payment that both sides know.
    finds("I9", |all| {
        for (kind, position) in [("PaymentRequested", 10), ("PaymentAuthorised", 11)] {
            let like = all.events.iter().find(|event| event.kind == kind).unwrap().clone();
            all.events.push(Event { position, stream: "payment-q".to_owned(), ..like });
        }
        all.ledger.push(entry("authorised", "q"));
    });
}

#[test]
fn a_charged_order_that_is_lost() {
    finds("I9", |all| drop(all.events.remove(5)));
    finds("I9", |all| all.events[7].kind = "OrderCancelled".to_owned());
    finds("I9", |all| {
        all.events.retain(|event| event.kind != "PaymentAuthorised");
        all.ledger.retain(|entry| entry["kind"] == "accepted");
    });
}

#[test]
fn what_is_not_finished_and_what_must_not_be_said() {
    finds("I10", |all| all.steps_left.push("authorise-p".to_owned()));
    finds("I11", |all| all.said.push(("relay-1".to_owned(), "thread panicked at lib.rs".to_owned())));
    finds("I11", |all| all.said.push(("relay-1".to_owned(), "open sesame".to_owned())));
    finds("I11", |all| all.history.wrong.push("status 500".to_owned()));
}
