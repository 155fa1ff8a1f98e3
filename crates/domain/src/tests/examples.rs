//! A small shop whose names the tests share: two products, a buyer, a cart of theirs, and what became of it.
//!
//! `A` costs 11,000 won and 2 of it are bought, `B` costs 5,500 and 1 is: 27,500, 3,000 for sending, 30,500 in all, of which
//! 2,773 are tax (2,000 + 500 + 273, the last rounded from 272.7…).

use uuid::Uuid;

use super::testing::Happened;
use crate::customer::{EmailIndex, Profile};
use crate::ids::*;
use crate::order::{Delivery, Line, Pieces};
use crate::text::{CountryCode, Email, Locale, LocalisedText, PersonName, Phone, Sku};
use crate::{
    Actor, Address, Contact, Currency, Event, Money, Owner, Personal, StreamId, Time, cart, customer,
    notification, order, payment, product, stock,
};

const fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number)
}

pub(super) const CUSTOMER: CustomerId = CustomerId(id(0x01));
pub(super) const STRANGER: CustomerId = CustomerId(id(0x02));
pub(super) const PRODUCT_A: ProductId = ProductId(id(0x0a));
pub(super) const PRODUCT_B: ProductId = ProductId(id(0x0b));
pub(super) const CART: CartId = CartId(id(0x10));
pub(super) const ORDER: OrderId = OrderId(id(0x20));
pub(super) const ORDER_2: OrderId = OrderId(id(0x21));
pub(super) const PAYMENT: PaymentId = PaymentId(id(0x30));
pub(super) const CAPTURE: CaptureId = CaptureId(id(0x40));
pub(super) const CAPTURE_2: CaptureId = CaptureId(id(0x41));
pub(super) const REFUND: RefundId = RefundId(id(0x50));
pub(super) const REFUND_2: RefundId = RefundId(id(0x51));
pub(super) const DISPUTE: DisputeId = DisputeId(id(0x60));
pub(super) const SHIPMENT: ShipmentId = ShipmentId(id(0x70));
pub(super) const SHIPMENT_2: ShipmentId = ShipmentId(id(0x71));
pub(super) const RETURN: ReturnId = ReturnId(id(0x80));
pub(super) const RETURN_2: ReturnId = ReturnId(id(0x81));
pub(super) const ADDRESS: AddressId = AddressId(id(0x90));
pub(super) const NOTICE: NotificationId = NotificationId(id(0xa0));
pub(super) const STAFF: Actor = Actor::Staff(id(0xff));
pub(super) const BUYER: Actor = Actor::Customer(CUSTOMER);

pub(super) fn krw(amount: i64) -> Money {
    Money::new(amount, Currency::KRW)
}
pub(super) fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::parse("USD").unwrap())
}
pub(super) fn sku(text: &str) -> Sku {
    Sku::parse(text).unwrap()
}
pub(super) fn locale(text: &str) -> Locale {
    Locale::parse(text).unwrap()
}
pub(super) fn pieces(text: &str, quantity: u32) -> Pieces {
    Pieces { sku: sku(text), quantity }
}
/// So many minutes after the shop opened.
pub(super) fn minute(minutes: i64) -> Time {
    Time::from_timestamp(1_760_000_000 + 60 * minutes, 0).unwrap()
}

/// In the stream of …
pub(super) fn of_customer(event: impl Into<customer::Event>) -> Happened {
    (StreamId::customer(CUSTOMER), Event::Customer(event.into()))
}
pub(super) fn of_email(event: impl Into<customer::Event>) -> Happened {
    (StreamId::email(&email_index()), Event::Customer(event.into()))
}
pub(super) fn of_product(id: ProductId, event: impl Into<product::Event>) -> Happened {
    (StreamId::product(id), Event::Product(event.into()))
}
pub(super) fn of_stock(of: &str, event: impl Into<stock::Event>) -> Happened {
    (StreamId::stock(&sku(of)), Event::Stock(event.into()))
}
pub(super) fn of_cart(event: impl Into<cart::Event>) -> Happened {
    (StreamId::cart(CART), Event::Cart(event.into()))
}
pub(super) fn of_order(event: impl Into<order::Event>) -> Happened {
    (StreamId::order(ORDER), Event::Order(event.into()))
}
pub(super) fn of_payment(event: impl Into<payment::Event>) -> Happened {
    (StreamId::payment(PAYMENT), Event::Payment(event.into()))
}
pub(super) fn of_notice(event: impl Into<notification::Event>) -> Happened {
    (StreamId::notification(NOTICE), Event::Notification(event.into()))
}

pub(super) fn email_index() -> EmailIndex {
    EmailIndex::parse("00112233445566778899aabbccddeeff").unwrap()
}
pub(super) fn profile() -> Profile {
    Profile {
        email: Email::parse("minji@example.com").unwrap(),
        name: PersonName::parse("김민지").unwrap(),
        phone: Some(Phone::parse("+821012345678").unwrap()),
    }
}
pub(super) fn address() -> Address {
    Address {
        recipient: PersonName::parse("김민지").unwrap(),
        line1: "세종대로 110".to_owned(),
        line2: Some("3층".to_owned()),
        city: "서울".to_owned(),
        region: Some("중구".to_owned()),
        postal_code: "04524".to_owned(),
        country: CountryCode::parse("KR").unwrap(),
    }
}
pub(super) fn delivery() -> Delivery {
    let Profile { email, name, phone } = profile();
    Delivery { contact: Contact { email, name, phone }, address: address() }
}

pub(super) fn registered() -> customer::Registered {
    customer::Registered {
        customer_id: CUSTOMER,
        subject: SubjectId(CUSTOMER.0),
        email_index: email_index(),
        locale: locale("ko"),
        personal: Personal::Known(profile()),
    }
}
/// A customer with an account.
pub(super) fn account() -> Vec<Happened> {
    vec![of_customer(registered()), of_email(customer::EmailClaimed { customer_id: CUSTOMER })]
}

pub(super) fn product(id: ProductId, of: &str, price: Money) -> product::Created {
    product::Created {
        product_id: id,
        sku: sku(of),
        name: LocalisedText::names([
            (locale("ko"), format!("신발 {of}")),
            (locale("en"), format!("Shoe {of}")),
        ])
        .unwrap(),
        description: LocalisedText::descriptions([(locale("en"), "Runs.".to_owned())]).unwrap(),
        category: "shoes/running".to_owned(),
        brand: Some("Nike".to_owned()),
        attributes: [("colour".to_owned(), "black".to_owned())].into(),
        prices: vec![price],
        images: vec!["https://example.com/shoe.webp".to_owned()],
    }
}
/// A product that is on sale, and so many pieces of it.
pub(super) fn on_sale(id: ProductId, of: &str, price: Money, quantity: u32) -> Vec<Happened> {
    vec![
        of_product(id, product(id, of, price)),
        of_stock(of, stock::Listed { sku: sku(of), product_id: id }),
        of_product(id, product::Published {}),
        of_stock(of, stock::Received { quantity, reason: "supplier delivery".to_owned() }),
    ]
}
/// 10 pieces of `A` and 10 of `B`.
pub(super) fn catalogue() -> Vec<Happened> {
    [on_sale(PRODUCT_A, "A", krw(11_000), 10), on_sale(PRODUCT_B, "B", krw(5_500), 10)].concat()
}

pub(super) fn opened() -> cart::Opened {
    cart::Opened {
        cart_id: CART,
        owner: Owner::Customer(CUSTOMER),
        currency: Currency::KRW,
        locale: locale("ko"),
    }
}
pub(super) fn item(of: &str, product_id: ProductId, quantity: u32) -> Happened {
    of_cart(cart::ItemSet { sku: sku(of), product_id, quantity })
}
/// The catalogue, and a cart with 2 of `A` and 1 of `B`.
pub(super) fn filled_cart() -> Vec<Happened> {
    let cart = [of_cart(opened()), item("A", PRODUCT_A, 2), item("B", PRODUCT_B, 1)];
    [catalogue(), cart.to_vec()].concat()
}

fn line(of: &str, product_id: ProductId, quantity: u32, price: i64, tax: i64) -> Line {
    Line {
        sku: sku(of),
        product_id,
        name: product(product_id, of, krw(1)).name,
        quantity,
        unit_price: krw(price),
        total: krw(price * i64::from(quantity)),
        tax: krw(tax),
    }
}
pub(super) fn placed() -> order::Placed {
    order::Placed {
        order_id: ORDER,
        cart_id: CART,
        payment_id: PAYMENT,
        owner: Owner::Customer(CUSTOMER),
        locale: locale("ko"),
        lines: vec![line("A", PRODUCT_A, 2, 11_000, 2_000), line("B", PRODUCT_B, 1, 5_500, 500)],
        subtotal: krw(27_500),
        shipping_method: "standard".to_owned(),
        shipping_fee: krw(3_000),
        tax: krw(2_773),
        total: krw(30_500),
        country: "KR".to_owned(),
        reserved_until: minute(15),
        subject: SubjectId(CUSTOMER.0),
        personal: Personal::Known(delivery()),
    }
}
pub(super) fn payment_requested() -> payment::Requested {
    payment::Requested {
        payment_id: PAYMENT,
        order_id: ORDER,
        amount: krw(30_500),
        gateway: "sandbox".to_owned(),
        subject: SubjectId(CUSTOMER.0),
        personal: Personal::Known("approve".to_owned()),
    }
}
/// What placing brings about.
pub(super) fn placing() -> Vec<Happened> {
    vec![
        of_order(placed()),
        of_cart(cart::CheckedOut { order_id: ORDER }),
        of_payment(payment_requested()),
        of_stock("A", stock::Reserved { order_id: ORDER, quantity: 2 }),
        of_stock("B", stock::Reserved { order_id: ORDER, quantity: 1 }),
    ]
}
pub(super) fn authorised() -> payment::Authorised {
    payment::Authorised { gateway_reference: "gw-1".to_owned(), amount: krw(30_500) }
}
pub(super) fn capture_requested(capture_id: CaptureId, amount: i64, of: Option<ShipmentId>) -> Happened {
    of_payment(payment::CaptureRequested { capture_id, amount: krw(amount), shipment_id: of })
}
pub(super) fn captured(capture_id: CaptureId, amount: i64) -> Happened {
    of_payment(payment::Captured { capture_id, amount: krw(amount) })
}
pub(super) fn refund_requested(refund_id: RefundId, amount: i64, reason: &str) -> Happened {
    of_payment(payment::RefundRequested { refund_id, amount: krw(amount), reason: reason.to_owned() })
}
pub(super) fn sent(shipment_id: ShipmentId, lines: Vec<Pieces>) -> order::ShipmentSent {
    order::ShipmentSent { shipment_id, lines, carrier: "CJ".to_owned(), tracking_number: "123".to_owned() }
}

/// A placed order that waits for its payment.
pub(super) fn pending() -> Vec<Happened> {
    [filled_cart(), placing()].concat()
}
/// Whose money is held.
pub(super) fn confirmed() -> Vec<Happened> {
    let paid = [of_payment(authorised()), of_order(order::Confirmed { payment_id: PAYMENT })];
    [pending(), paid.to_vec()].concat()
}
/// Whose money was taken at once.
pub(super) fn confirmed_and_captured() -> Vec<Happened> {
    let paid = [
        of_payment(authorised()),
        capture_requested(CAPTURE, 30_500, None),
        captured(CAPTURE, 30_500),
        of_order(order::Confirmed { payment_id: PAYMENT }),
    ];
    [pending(), paid.to_vec()].concat()
}
/// What sending everything in one shipment brings about.
pub(super) fn sending() -> Vec<Happened> {
    vec![
        of_order(sent(SHIPMENT, vec![pieces("A", 2), pieces("B", 1)])),
        of_stock("A", stock::Shipped { order_id: ORDER, shipment_id: SHIPMENT, quantity: 2 }),
        of_stock("B", stock::Shipped { order_id: ORDER, shipment_id: SHIPMENT, quantity: 1 }),
        capture_requested(CAPTURE, 30_500, Some(SHIPMENT)),
    ]
}
/// All of it is on its way, and paid.
pub(super) fn shipped() -> Vec<Happened> {
    [confirmed(), sending(), vec![captured(CAPTURE, 30_500)]].concat()
}
/// All of it has arrived.
pub(super) fn delivered() -> Vec<Happened> {
    [shipped(), vec![of_order(order::ShipmentDelivered { shipment_id: SHIPMENT })]].concat()
}
/// One `A` is to come back.
pub(super) fn return_requested() -> Vec<Happened> {
    let requested = order::ReturnRequested {
        return_id: RETURN,
        lines: vec![pieces("A", 1)],
        reason: "too small".to_owned(),
    };
    [delivered(), vec![of_order(requested)]].concat()
}
/// One `A` came back, and its money is to go back.
pub(super) fn returned() -> Vec<Happened> {
    let back = [
        of_order(order::ReturnReceived { return_id: RETURN, refund: krw(11_000), restocked: true }),
        of_stock("A", stock::Restocked { order_id: ORDER, return_id: RETURN, quantity: 1 }),
        refund_requested(REFUND, 11_000, "return"),
    ];
    [return_requested(), back.to_vec()].concat()
}
