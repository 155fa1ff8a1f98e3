//! What every command names, and what happens when it is not there.

use std::collections::HashMap;

use super::examples::*;
use crate::checkout::Outcome;
use crate::payment::Action;
use crate::{
    Category, Command, State, StreamId, cart, checkout, customer, notification, order, payment, product,
    stock,
};

/// One command of each kind, with the stream that it is about.
fn commands() -> Vec<(Command, StreamId)> {
    let (of_order, of_payment) = (StreamId::order(ORDER), StreamId::payment(PAYMENT));
    let mut commands: Vec<(Command, StreamId)> = vec![
        (customer::Command::Forget { customer_id: CUSTOMER }.into(), StreamId::customer(CUSTOMER)),
        (product::Command::Create(product(PRODUCT_A, "A", krw(1))).into(), StreamId::product(PRODUCT_A)),
        (
            stock::Command { sku: sku("A"), action: stock::Action::Release { order_id: ORDER } }.into(),
            StreamId::stock(&sku("A")),
        ),
        (
            cart::Command::SetItem { cart_id: CART, by: BUYER, sku: sku("A"), quantity: 1 }.into(),
            StreamId::cart(CART),
        ),
        (order::Command::Deliver { order_id: ORDER, shipment_id: SHIPMENT }.into(), of_order.clone()),
        (payment::Command { payment_id: PAYMENT, action: Action::RecordVoided }.into(), of_payment.clone()),
        (
            notification::Command::RecordSent { notification_id: NOTICE, provider_reference: String::new() }
                .into(),
            StreamId::notification(NOTICE),
        ),
    ];
    let of_checkout = checkouts().into_iter().map(|command| {
        let settles = matches!(
            command,
            checkout::Command::SettlePayment { .. } | checkout::Command::SettleRefund { .. }
        );
        (command.into(), if settles { of_payment.clone() } else { of_order.clone() })
    });
    commands.extend(of_checkout);
    commands
}

fn checkouts() -> [checkout::Command; 8] {
    use checkout::Command::*;
    let outcome = Outcome::Declined { reason: "declined".to_owned() };
    [
        super::checkout::place(),
        SettlePayment { payment_id: PAYMENT, outcome, capture: None },
        SettleRefund { payment_id: PAYMENT, refund_id: REFUND, amount: krw(1) },
        ExpireOrder { order_id: ORDER, at: minute(15) },
        CancelOrder { order_id: ORDER, by: BUYER, reason: String::new(), refund_id: REFUND },
        super::checkout::ship(None),
        ReceiveReturn { order_id: ORDER, return_id: RETURN, refund_id: REFUND, amount: None, restock: true },
        RefundOrder { order_id: ORDER, refund_id: REFUND, amount: None, reason: String::new() },
    ]
}

#[test]
fn the_first_stream_named_is_the_commands_own() {
    for (command, own) in commands() {
        assert_eq!(command.streams(&HashMap::new())[0], own, "{command:?}");
    }
}

#[test]
fn a_decision_without_its_states_is_refused_and_does_not_panic() {
    for (command, _) in commands() {
        let refusal = command.decide(&HashMap::new()).unwrap_err();
        assert_eq!(refusal.code, "invalid-state", "{command:?}");
    }
}

#[test]
fn a_decision_that_finds_another_kind_of_state_is_refused() {
    for (command, own) in commands() {
        let other = if own.category() == Category::Email { Category::Cart } else { Category::Email };
        let states: HashMap<_, _> = command
            .streams(&HashMap::new())
            .into_iter()
            .map(|stream| (stream, State::initial(other)))
            .collect();
        assert_eq!(command.decide(&states).unwrap_err().code, "invalid-state", "{command:?}");
    }
}

#[test]
fn every_category_has_an_initial_state_and_a_name() {
    for category in Category::ALL {
        assert_eq!(Category::parse(category.name()), Some(category));
        let state = serde_json::to_value(State::initial(category)).unwrap();
        assert_eq!(state["category"], category.name());
    }
}

#[test]
fn a_streams_name_is_read_back() {
    for (_, stream) in commands() {
        assert_eq!(StreamId::parse(stream.as_str()), Some(stream.clone()));
        assert_eq!(stream.as_str(), format!("{}-{}", stream.category().name(), stream.key()));
        let json = serde_json::to_string(&stream).unwrap();
        assert_eq!(serde_json::from_str::<StreamId>(&json).unwrap(), stream);
    }
    for wrong in ["", "order", "order-", "-1", "nothing-1"] {
        assert_eq!(StreamId::parse(wrong), None, "{wrong}");
        assert!(serde_json::from_value::<StreamId>(wrong.into()).is_err());
    }
    assert_eq!(
        StreamId::parse("stock-A-1 B").map(|stream| stream.key().to_owned()),
        Some("A-1 B".to_owned())
    );
}
