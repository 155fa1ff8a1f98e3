//! One order and what can happen to it, for tests.

use std::collections::BTreeMap;

use domain::ids::{
    CartId, CustomerId, OrderId, PaymentId, ProductId, RefundId, ReturnId, ShipmentId, SubjectId,
};
use domain::order::{self, Delivery, Pieces};
use domain::text::{CountryCode, Email, Locale, LocalisedText, PersonName, Sku};
use domain::{Address, Contact, Currency, Event, Money, Owner, Personal, StreamId};
use uuid::Uuid;

use super::given::at;

pub(crate) const ORDER: OrderId = OrderId(Uuid::from_u128(0x01));
pub(crate) const CUSTOMER: CustomerId = CustomerId(Uuid::from_u128(0x0C));
pub(crate) const CART: CartId = CartId(Uuid::from_u128(0x0A));
pub(crate) const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(0x0B));
pub(crate) const SHIPMENT: ShipmentId = ShipmentId(Uuid::from_u128(0x0D));
pub(crate) const RETURN: ReturnId = ReturnId(Uuid::from_u128(0x0E));

pub(crate) fn won(amount: i64) -> Money {
    Money::new(amount, Currency::KRW)
}

pub(crate) fn sku() -> Sku {
    Sku::parse("AIR-MAX").unwrap()
}

pub(crate) fn stream() -> StreamId {
    StreamId::order(ORDER)
}

pub(crate) fn subject() -> SubjectId {
    SubjectId(CUSTOMER.0)
}

pub(crate) fn address() -> Address {
    Address {
        recipient: PersonName::parse("홍길동").unwrap(),
        line1: "세종대로 110".to_owned(),
        line2: None,
        city: "서울".to_owned(),
        region: None,
        postal_code: "04524".to_owned(),
        country: CountryCode::parse("KR").unwrap(),
    }
}

fn delivery() -> Delivery {
    let contact = Contact {
        email: Email::parse("hong@example.com").unwrap(),
        name: PersonName::parse("홍길동").unwrap(),
        phone: None,
    };
    Delivery { contact, address: address() }
}

/// Two pairs of shoes for 60,000 won each, and 3,000 won for sending them.
pub(crate) fn placed() -> order::Placed {
    let names = BTreeMap::from([(Locale::parse("ko").unwrap(), "에어맥스".to_owned())]);
    let line = order::Line {
        sku: sku(),
        product_id: ProductId(Uuid::from_u128(0x0F)),
        name: LocalisedText::names(names).unwrap(),
        quantity: 2,
        unit_price: won(60_000),
        total: won(120_000),
        tax: won(10_909),
    };
    order::Placed {
        order_id: ORDER,
        cart_id: CART,
        payment_id: PAYMENT,
        owner: Owner::Customer(CUSTOMER),
        locale: Locale::parse("ko").unwrap(),
        lines: vec![line],
        subtotal: won(120_000),
        shipping_method: "standard".to_owned(),
        shipping_fee: won(3_000),
        tax: won(11_182),
        total: won(123_000),
        country: "KR".to_owned(),
        reserved_until: at(900),
        subject: subject(),
        personal: Personal::Known(delivery()),
    }
}

/// The same, read after its buyer's key was destroyed.
pub(crate) fn placed_and_forgotten() -> order::Placed {
    order::Placed { personal: Personal::Forgotten, ..placed() }
}

pub(crate) fn happened(event: impl Into<order::Event>) -> (StreamId, Event) {
    (stream(), Event::Order(event.into()))
}

pub(crate) fn confirmed() -> order::Confirmed {
    order::Confirmed { payment_id: PAYMENT }
}

fn pieces(quantity: u32) -> Vec<Pieces> {
    vec![Pieces { sku: sku(), quantity }]
}

pub(crate) fn sent(shipment_id: ShipmentId, quantity: u32) -> order::ShipmentSent {
    order::ShipmentSent {
        shipment_id,
        lines: pieces(quantity),
        carrier: "CJ대한통운".to_owned(),
        tracking_number: "1234".to_owned(),
    }
}

pub(crate) fn delivered(shipment_id: ShipmentId) -> order::ShipmentDelivered {
    order::ShipmentDelivered { shipment_id }
}

pub(crate) fn return_requested(quantity: u32) -> order::ReturnRequested {
    order::ReturnRequested { return_id: RETURN, lines: pieces(quantity), reason: "too small".to_owned() }
}

pub(crate) fn return_received(amount: i64) -> order::ReturnReceived {
    order::ReturnReceived { return_id: RETURN, refund: won(amount), restocked: true }
}

pub(crate) fn refunded(amount: i64) -> order::Refunded {
    order::Refunded { refund_id: RefundId(Uuid::from_u128(0x10)), amount: won(amount) }
}

/// The buyer asks to be forgotten.
pub(crate) fn forgotten() -> (StreamId, Event) {
    let event = domain::customer::Forgotten { customer_id: CUSTOMER, subject: subject() };
    (StreamId::customer(CUSTOMER), Event::Customer(event.into()))
}
