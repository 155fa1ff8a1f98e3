//! A shop with one product, and buyers who each have one piece of it in the cart.

use domain::ids::{CaptureId, CartId, OrderId, PaymentId, ProductId, RefundId, ShipmentId};
use domain::order::Delivery;
use domain::text::{CountryCode, Email, Locale, LocalisedText, PersonName, Sku};
use domain::{
    Actor, Address, Command, Contact, Currency, Event, Money, Owner, StreamId, Time, cart, checkout, product,
    stock,
};
use uuid::Uuid;

/// The gateway's name.
pub(super) const GATEWAY: &str = "sandbox";

const fn id(kind: u128, buyer: usize) -> Uuid {
    Uuid::from_u128(kind * 0x100 + buyer as u128)
}
pub(super) const fn order(buyer: usize) -> OrderId {
    OrderId(id(1, buyer))
}
pub(super) const fn payment(buyer: usize) -> PaymentId {
    PaymentId(id(2, buyer))
}
const fn cart(buyer: usize) -> CartId {
    CartId(id(3, buyer))
}
pub(super) fn sku() -> Sku {
    Sku::parse("LAST").unwrap()
}
fn locale() -> Locale {
    Locale::parse("ko").unwrap()
}

/// So many pieces are there, and so many buyers want one each.
pub(super) fn history(pieces: u32, buyers: usize) -> Vec<(StreamId, Event)> {
    let product_id = ProductId(id(4, 0));
    let created = product::Created {
        product_id,
        sku: sku(),
        name: LocalisedText::names([(locale(), "신발".to_owned())]).unwrap(),
        description: LocalisedText::descriptions([]).unwrap(),
        category: "shoes".to_owned(),
        brand: None,
        attributes: Default::default(),
        prices: vec![Money::new(11_000, Currency::KRW)],
        images: Vec::new(),
    };
    let of_product = |event: product::Event| (StreamId::product(product_id), Event::Product(event));
    let of_stock = |event: stock::Event| (StreamId::stock(&sku()), Event::Stock(event));
    let received = stock::Received { quantity: pieces, reason: "supplier delivery".to_owned() };
    let mut history = vec![
        of_product(created.into()),
        of_stock(stock::Listed { sku: sku(), product_id }.into()),
        of_product(product::Published {}.into()),
        of_stock(received.into()),
    ];
    for buyer in 0..buyers {
        let (cart_id, owner) = (cart(buyer), Owner::Guest(cart(buyer)));
        let opened = cart::Opened { cart_id, owner, currency: Currency::KRW, locale: locale() };
        let item = cart::ItemSet { sku: sku(), product_id, quantity: 1 };
        let of_cart = |event: cart::Event| (StreamId::cart(cart_id), Event::Cart(event));
        history.extend([of_cart(opened.into()), of_cart(item.into())]);
    }
    history
}

pub(super) fn place(buyer: usize) -> Command {
    let name = PersonName::parse("김민지").unwrap();
    let email = Email::parse("minji@example.com").unwrap();
    let address = Address {
        recipient: name.clone(),
        line1: "세종대로 110".to_owned(),
        line2: None,
        city: "서울".to_owned(),
        region: None,
        postal_code: "04524".to_owned(),
        country: CountryCode::parse("KR").unwrap(),
    };
    Command::Checkout(checkout::Command::PlaceOrder {
        order_id: order(buyer),
        payment_id: payment(buyer),
        cart_id: cart(buyer),
        by: Actor::Guest(cart(buyer)),
        delivery: Delivery { contact: Contact { email, name, phone: None }, address },
        shipping_method: None,
        gateway: GATEWAY.to_owned(),
        token: "token".to_owned(),
        at: Time::UNIX_EPOCH,
        reserved_until: due(),
    })
}

/// The end of a reservation.
pub(super) fn due() -> Time {
    Time::from_timestamp(900, 0).unwrap()
}

pub(super) fn cancel(buyer: usize) -> Command {
    Command::Checkout(checkout::Command::CancelOrder {
        order_id: order(buyer),
        by: Actor::Guest(cart(buyer)),
        reason: "no longer wanted".to_owned(),
        refund_id: RefundId(id(5, buyer)),
    })
}

pub(super) fn ship(buyer: usize) -> Command {
    Command::Checkout(checkout::Command::ShipOrder {
        order_id: order(buyer),
        shipment_id: ShipmentId(id(6, buyer)),
        capture_id: CaptureId(id(7, buyer)),
        lines: None,
        carrier: "CJ".to_owned(),
        tracking_number: "1".to_owned(),
    })
}

/// Staff gives all of it back.
pub(super) fn refund(buyer: usize) -> Command {
    Command::Checkout(checkout::Command::RefundOrder {
        order_id: order(buyer),
        refund_id: RefundId(id(8, buyer)),
        amount: None,
        reason: "goodwill".to_owned(),
    })
}
