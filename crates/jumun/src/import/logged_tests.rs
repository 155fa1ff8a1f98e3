use std::collections::BTreeMap;

use domain::Currency;
use serde_json::json;

use super::super::reconciliation::Sum;
use super::*;

const REFUSED: &str = "the order is payment_failed";

fn keys() -> Keys {
    Keys::new("00", "GBP")
}

/// Two sales, 1 and 2, and a C invoice.
fn plan() -> Plan {
    let sale = |number: &str| {
        let (number, country) = (number.to_owned(), "GB".to_owned());
        Invoice::Sale(Sale { number, customer: None, country, items: Vec::new() })
    };
    let back = super::super::plan::GiveBack { number: "C3".to_owned(), parts: Vec::new() };
    Plan {
        currency: Currency::parse("GBP").unwrap(),
        invoices: vec![sale("1"), sale("2"), Invoice::GiveBack(back)],
        products: Vec::new(),
        rejected: BTreeMap::new(),
        rows: BTreeMap::new(),
        unknown_countries: Vec::new(),
    }
}

fn money(amount: i64) -> Value {
    json!({"amount": amount, "currency": "GBP"})
}

fn placed(order: &str, invoice: &str, amount: i64) -> Value {
    event(order, "OrderPlaced", keys().of(&["order", invoice]), json!({"total": money(amount)}))
}

fn later(order: &str, name: &str, data: Value) -> Value {
    event(order, name, Uuid::new_v4(), data)
}

fn event(order: &str, name: &str, command_id: Uuid, data: Value) -> Value {
    json!({"stream": format!("order-{order}"), "type": name, "command_id": command_id, "data": data})
}

fn known(orders: &[(&str, &str)], refused: &[&str]) -> Known {
    let mut known = Known::default();
    for (invoice, order) in orders {
        known.done.insert((*invoice).to_owned(), Some((*order).to_owned()));
    }
    for invoice in refused {
        known.done.insert((*invoice).to_owned(), None);
        known.refused.insert(((*invoice).to_owned(), WHOLE.to_owned()), REFUSED.to_owned());
    }
    known
}

fn compare(events: &[Value], known: &Known) -> Compared {
    let (plan, mut logged) = (plan(), Logged::default());
    let commands = commands(&plan, keys());
    events.iter().for_each(|event| logged.add(&commands, event.to_string().as_bytes()).unwrap());
    logged.compare(&plan, known).unwrap()
}

fn sums(sold: i64, refunded: i64) -> Sums {
    Sums::from([("GBP".to_owned(), Sum { sold, refunded })])
}

#[test]
fn orders_are_those_that_commands_of_the_import_have_placed() {
    let events = [
        placed("a", "1", 700),
        event("x", "OrderPlaced", Uuid::new_v4(), json!({"total": money(900)})),
        placed("b", "2", 50),
        later("a", "OrderRefunded", json!({"amount": money(30)})),
        later("x", "OrderRefunded", json!({"amount": money(900)})),
    ];
    let compared = compare(&events, &known(&[("1", "a"), ("2", "b")], &[]));
    assert_eq!(compared.sums, sums(750, 30));
    assert_eq!(compared.orders, HashSet::from(["a".to_owned(), "b".to_owned()]));
    assert!(compared.differences.is_empty(), "{:?}", compared.differences);
}

#[test]
fn a_second_order_for_an_invoice_is_a_difference_and_counts() {
    let events = [placed("a", "1", 700), placed("b", "1", 700)];
    let compared = compare(&events, &known(&[("1", "a")], &["2"]));
    assert_eq!(compared.differences, ["invoice 1 has the order b as well as a"]);
    assert_eq!(compared.sums, sums(1400, 0));
}

#[test]
fn an_order_that_the_journal_says_was_refused_is_a_difference() {
    let compared = compare(&[placed("a", "1", 700)], &known(&[], &["1"]));
    assert_eq!(compared.differences, [format!("invoice 1 has the order a, and was refused ({REFUSED})")]);
    assert_eq!(compared.sums, sums(700, 0));
}

#[test]
fn an_order_that_the_journal_does_not_know_is_a_difference() {
    let compared = compare(&[placed("a", "1", 700)], &known(&[], &[]));
    assert_eq!(compared.differences.len(), 1, "{:?}", compared.differences);
    assert_eq!(compared.sums, sums(700, 0));
}

#[test]
fn an_order_that_the_log_does_not_have_is_a_difference() {
    let compared = compare(&[], &known(&[("1", "a")], &[]));
    assert_eq!(compared.differences, ["invoice 1: its order a is not in the log"]);
}

#[test]
fn one_order_that_came_to_nothing_is_what_a_refusal_means() {
    for end in ["OrderPaymentFailed", "OrderCancelled"] {
        let mut events = vec![placed("a", "1", 700), later("a", end, json!({}))];
        let compared = compare(&events, &known(&[], &["1"]));
        assert!(compared.differences.is_empty() && compared.sums.is_empty(), "{compared:?}");
        events.extend([placed("b", "1", 700), later("b", end, json!({}))]);
        assert_eq!(compare(&events, &known(&[], &["1"])).differences.len(), 1);
    }
}

#[test]
fn an_event_that_cannot_be_read_is_an_error() {
    assert!(Logged::default().add(&HashMap::new(), b"{\"stream\":").is_err());
}
