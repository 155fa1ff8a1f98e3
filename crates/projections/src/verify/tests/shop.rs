//! A small shop: a product, a customer, and an order that goes all the way.

use std::collections::BTreeMap;

use domain::customer::{EmailIndex, Profile, Registered};
use domain::ids::{CaptureId, RefundId};
use domain::text::{Email, Locale, LocalisedText, PersonName};
use domain::{Event, Personal, StreamId, cart, payment, product, stock};
use uuid::Uuid;

use crate::history::History;
use crate::orders::examples::{
    CUSTOMER, ORDER, PAYMENT, SHIPMENT, confirmed, delivered, happened, placed, return_received,
    return_requested, sent, sku, stream, subject, won,
};
use crate::verify::{self, Check};

pub(crate) const CAPTURE: CaptureId = CaptureId(Uuid::from_u128(0x21));
pub(crate) const REFUND: RefundId = RefundId(Uuid::from_u128(0x22));

pub(crate) fn paying(event: impl Into<payment::Event>) -> (StreamId, Event) {
    (StreamId::payment(PAYMENT), Event::Payment(event.into()))
}

pub(crate) fn item(event: impl Into<stock::Event>) -> (StreamId, Event) {
    (StreamId::stock(&sku()), Event::Stock(event.into()))
}

pub(crate) fn requested() -> payment::Requested {
    payment::Requested {
        payment_id: PAYMENT,
        order_id: ORDER,
        amount: won(123_000),
        gateway: "sandbox".to_owned(),
        subject: subject(),
        personal: Personal::Known("approve".to_owned()),
    }
}

pub(crate) fn authorised() -> (StreamId, Event) {
    paying(payment::Authorised { gateway_reference: "sb-1".to_owned(), amount: won(123_000) })
}

pub(crate) fn captured(capture_id: CaptureId, amount: i64) -> (StreamId, Event) {
    paying(payment::Captured { capture_id, amount: won(amount) })
}

pub(crate) fn refunded(amount: i64) -> (StreamId, Event) {
    paying(payment::Refunded { refund_id: REFUND, amount: won(amount) })
}

pub(crate) fn reserved(quantity: u32) -> (StreamId, Event) {
    item(stock::Reserved { order_id: ORDER, quantity })
}

fn registered() -> (StreamId, Event) {
    let event = Registered {
        customer_id: CUSTOMER,
        subject: subject(),
        email_index: EmailIndex::parse(&"ab".repeat(32)).unwrap(),
        locale: Locale::parse("ko").unwrap(),
        personal: Personal::Known(Profile {
            email: Email::parse("hong@example.com").unwrap(),
            name: PersonName::parse("홍길동").unwrap(),
            phone: None,
        }),
    };
    (StreamId::customer(CUSTOMER), Event::Customer(event.into()))
}

/// The shop opens: a product with ten pieces in the house, and a customer.
fn opening() -> Vec<(StreamId, Event)> {
    let line = placed().lines.remove(0);
    let created = product::Created {
        product_id: line.product_id,
        sku: sku(),
        name: line.name,
        description: LocalisedText::default(),
        category: "shoes".to_owned(),
        brand: None,
        attributes: BTreeMap::new(),
        prices: vec![line.unit_price],
        images: Vec::new(),
    };
    let of_product = StreamId::product(line.product_id);
    vec![
        (of_product.clone(), Event::Product(created.into())),
        item(stock::Listed { sku: sku(), product_id: line.product_id }),
        (of_product, Event::Product(product::Published {}.into())),
        item(stock::Received { quantity: 10, reason: "delivery".to_owned() }),
        item(stock::ReorderPointSet { quantity: 8 }),
        registered(),
    ]
}

/// An order is placed: decided as one.
fn buying() -> Vec<(StreamId, Event)> {
    let placed = placed();
    let of_cart = StreamId::cart(placed.cart_id);
    let opened = cart::Opened {
        cart_id: placed.cart_id,
        owner: placed.owner,
        currency: placed.total.currency,
        locale: placed.locale.clone(),
    };
    let set = cart::ItemSet { sku: sku(), product_id: placed.lines[0].product_id, quantity: 2 };
    let out = cart::CheckedOut { order_id: ORDER };
    vec![
        (of_cart.clone(), Event::Cart(opened.into())),
        (of_cart.clone(), Event::Cart(set.into())),
        (stream(), Event::Order(placed.into())),
        reserved(2),
        item(stock::ReplenishmentNeeded { available: 8, reorder_point: 8 }),
        paying(requested()),
        (of_cart, Event::Cart(out.into())),
    ]
}

/// It is paid, sent, delivered, and half of it comes back.
fn the_rest() -> Vec<(StreamId, Event)> {
    let capture_requested =
        payment::CaptureRequested { capture_id: CAPTURE, amount: won(123_000), shipment_id: Some(SHIPMENT) };
    let refund_requested =
        payment::RefundRequested { refund_id: REFUND, amount: won(60_000), reason: "return".to_owned() };
    vec![
        authorised(),
        happened(confirmed()),
        happened(sent(SHIPMENT, 2)),
        item(stock::Shipped { order_id: ORDER, shipment_id: SHIPMENT, quantity: 2 }),
        paying(capture_requested),
        captured(CAPTURE, 123_000),
        happened(delivered(SHIPMENT)),
        happened(return_requested(1)),
        happened(return_received(60_000)),
        item(stock::Restocked { order_id: ORDER, return_id: crate::orders::examples::RETURN, quantity: 1 }),
        paying(refund_requested),
        refunded(60_000),
        happened(crate::orders::examples::refunded(60_000)),
    ]
}

/// All of that, folded.
pub(crate) async fn shop() -> History {
    let mut history = History::begin().await;
    for events in [opening(), buying(), the_rest()] {
        history.append(events).await;
    }
    history.fold().await;
    history
}

/// All checks.
pub(crate) async fn checks(history: &History) -> Vec<Check> {
    verify::run(&history.store, &history.read).await.unwrap()
}

/// Those that fail, with what they say.
pub(crate) async fn failing(history: &History) -> Vec<(String, String)> {
    let failing = checks(history).await.into_iter().filter(|check| !check.ok);
    failing.map(|check| (check.name, check.detail)).collect()
}

/// Exactly these fail. Answers what they say, in that order.
#[track_caller]
pub(crate) fn only(failing: &[(String, String)], names: &[&str]) -> Vec<String> {
    let found: Vec<&str> = failing.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, names, "{failing:#?}");
    failing.iter().map(|(_, detail)| detail.clone()).collect()
}
