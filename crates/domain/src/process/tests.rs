use uuid::Uuid;

use super::*;
use crate::ids::CartId;
use crate::{Currency, Money, Personal, cart};

fn react_to(stream: &StreamId, event: impl Into<Event>) -> Vec<Step> {
    let recorded_at = Time::UNIX_EPOCH;
    react(&Happened { event: &event.into(), stream, position: 7, recorded_at })
}

#[test]
fn a_requested_payment_is_authorised() {
    let payment_id = PaymentId(Uuid::from_u128(1));
    let requested = payment::Requested {
        payment_id,
        order_id: OrderId(Uuid::from_u128(2)),
        amount: Money::new(1, Currency::KRW),
        gateway: "sandbox".to_owned(),
        subject: SubjectId(Uuid::from_u128(3)),
        personal: Personal::Forgotten,
    };
    let steps = react_to(&StreamId::payment(payment_id), payment::Event::from(requested));
    assert_eq!(steps, [Step::Authorise { payment_id }]);
}

#[test]
fn every_requested_call_is_made() {
    let payment_id = PaymentId(Uuid::from_u128(1));
    let stream = StreamId::payment(payment_id);
    let (capture_id, refund_id) = (CaptureId(Uuid::from_u128(4)), RefundId(Uuid::from_u128(5)));
    let amount = Money::new(1, Currency::KRW);
    let capture = payment::CaptureRequested { capture_id, amount, shipment_id: None };
    assert_eq!(react_to(&stream, payment::Event::from(capture)), [Step::Capture { payment_id, capture_id }]);
    let void = payment::VoidRequested { reason: String::new() };
    assert_eq!(react_to(&stream, payment::Event::from(void)), [Step::Void { payment_id }]);
    let refund = payment::RefundRequested { refund_id, amount, reason: String::new() };
    assert_eq!(react_to(&stream, payment::Event::from(refund)), [Step::Refund { payment_id, refund_id }]);
}

#[test]
fn somebody_who_wants_to_be_forgotten_loses_the_key() {
    let customer_id = crate::ids::CustomerId(Uuid::from_u128(1));
    let subject = SubjectId(customer_id.0);
    let steps = react_to(
        &StreamId::customer(customer_id),
        customer::Event::from(customer::Forgotten { customer_id, subject }),
    );
    assert_eq!(steps, [Step::DestroyKey { subject }]);
}

#[test]
fn what_a_buyer_wants_to_know_is_told_once_per_event() {
    let order_id = OrderId(Uuid::from_u128(2));
    let confirmed = order::Confirmed { payment_id: PaymentId(Uuid::from_u128(1)) };
    let steps = react_to(&StreamId::order(order_id), order::Event::from(confirmed));
    assert_eq!(steps, [Step::Notify { order_id, template: Template::OrderConfirmed, position: 7 }]);
    assert_eq!(steps[0].key(), format!("notify-{order_id}-7"));
}

#[test]
fn nothing_follows_from_a_cart() {
    let cart_id = CartId(Uuid::from_u128(1));
    let removed = cart::ItemRemoved { sku: crate::text::Sku::parse("A").unwrap() };
    assert_eq!(react_to(&StreamId::cart(cart_id), cart::Event::from(removed)), []);
}
