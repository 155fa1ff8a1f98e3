//! Whole histories as the log holds them, and the states that they fold into.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::examples::*;
use super::super::testing::{Happened, World};
use super::{Stored, folder, read_or_write};
use crate::ids::SubjectId;
use crate::{State, StreamId, customer, order, payment, stock};

/// One event of a history, in the order of the log.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    stream: StreamId,
    name: String,
    schema_version: u16,
    data: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    personal: Option<Value>,
}

/// A history and what became of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    events: Vec<Entry>,
    states: BTreeMap<StreamId, Value>,
}

impl History {
    fn of(events: Vec<Happened>) -> Self {
        let entry = |(stream, event): &Happened| {
            let Stored { data, personal } = Stored::of(event);
            let (name, schema_version) = (event.type_name().to_owned(), event.schema_version());
            Entry { stream: stream.clone(), name, schema_version, data, personal }
        };
        Self { events: events.iter().map(entry).collect(), states: states(&World::of(events)) }
    }

    fn fold(&self) -> World {
        let read = |entry: &Entry| {
            let stored = Stored { data: entry.data.clone(), personal: entry.personal.clone() };
            (entry.stream.clone(), stored.read(&entry.name, entry.schema_version))
        };
        World::of(self.events.iter().map(read))
    }
}

fn states(world: &World) -> BTreeMap<StreamId, Value> {
    let json = |(stream, state): (&StreamId, &State)| (stream.clone(), serde_json::to_value(state).unwrap());
    world.states().iter().map(json).collect()
}

/// The history in that file folds into the states beside it.
#[track_caller]
fn is_replayed(name: &str, events: Vec<Happened>) -> World {
    let history = read_or_write(&folder("histories").join(name), || Some(History::of(events)));
    let world = history.fold();
    assert_eq!(states(&world), history.states, "{name}: does State::SCHEMA_VERSION have to be raised?");
    for (stream, state) in history.states {
        let read: State = serde_json::from_value(state).unwrap();
        assert_eq!(&read, &world.states()[&stream], "a snapshot of {stream} is read back");
    }
    world
}

#[test]
fn an_order_from_the_cart_to_the_refund() {
    let refunded = [
        of_payment(payment::Refunded { refund_id: REFUND, amount: krw(11_000) }),
        of_order(order::Refunded { refund_id: REFUND, amount: krw(11_000) }),
    ];
    let world =
        is_replayed("an-order-from-the-cart-to-the-refund.json", [returned(), refunded.to_vec()].concat());
    let order = order::state_of(&world, ORDER).unwrap();
    assert_eq!(order.status(), Some(order::Status::PartiallyRefunded));
}

#[test]
fn an_order_that_was_paid_too_late() {
    let late = [
        of_payment(payment::OutcomeUnknown {
            operation: payment::Operation::Authorise,
            reason: "time-out".to_owned(),
        }),
        of_order(order::PaymentFailed { reason: "expired".to_owned() }),
        of_stock("A", stock::Released { order_id: ORDER, quantity: 2 }),
        of_stock("B", stock::Released { order_id: ORDER, quantity: 1 }),
        of_payment(authorised()),
        of_payment(payment::VoidRequested { reason: "the order no longer waits for it".to_owned() }),
        of_payment(payment::Voided {}),
    ];
    let world = is_replayed("an-order-that-was-paid-too-late.json", [pending(), late.to_vec()].concat());
    let payment = payment::state_of(&world, PAYMENT).unwrap();
    assert_eq!(payment.status(), Some(payment::Standing::Voided));
}

#[test]
fn a_customer_who_was_forgotten() {
    let (customer_id, subject) = (CUSTOMER, SubjectId(CUSTOMER.0));
    let personal = crate::Personal::Forgotten;
    let history = vec![
        of_customer(customer::Registered { personal: crate::Personal::Forgotten, ..registered() }),
        of_email(customer::EmailClaimed { customer_id }),
        of_customer(customer::AddressAdded { customer_id, address_id: ADDRESS, subject, personal }),
        of_customer(customer::Forgotten { customer_id, subject }),
        of_email(customer::EmailReleased { customer_id }),
    ];
    let world = is_replayed("a-customer-who-was-forgotten.json", history);
    let states = world.states();
    assert_eq!(states[&StreamId::customer(CUSTOMER)], State::Customer(customer::State::Forgotten));
}

#[test]
fn every_history_is_replayed() {
    let names: Vec<_> = std::fs::read_dir(folder("histories"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        is_replayed(&name, Vec::new());
    }
}
