//! A busy shop: what happens in it to products, customers, carts, orders, payments, stock and notices, mixed by chance.

use std::collections::{BTreeMap, HashMap, VecDeque};

use domain::customer::{AddressAdded, EmailIndex, Forgotten, Profile, Registered};
use domain::ids::{
    AddressId, CaptureId, CartId, CustomerId, NotificationId, OrderId, PaymentId, ProductId, RefundId,
    ReturnId, ShipmentId, SubjectId,
};
use domain::text::{Email, Locale, LocalisedText, PersonName, Sku};
use domain::{Actor, Currency, Event, Money, Owner, Personal, StreamId};
use domain::{cart, notification, order, payment, product, stock};
use event_store::{Metadata, Position, Recorded};
use rand::Rng;
use rand::rngs::StdRng;
use uuid::Uuid;

use crate::orders::examples::{address, placed, won};
use crate::orders::given::at;

/// What happens to one thing or person, in its order.
type Story = VecDeque<(StreamId, Event)>;

/// So many products are there; one more is ordered and never added.
const PRODUCTS: u128 = 6;
const CUSTOMERS: u128 = 12;

/// The log of one shop.
pub(super) fn log(chance: &mut StdRng) -> Vec<Recorded> {
    let opening = mixed(chance, (1..=PRODUCTS).map(opening).collect());
    let mut stories: Vec<Story> = (1..=CUSTOMERS).map(|number| shopping(number, chance)).collect();
    stories.extend((1..=PRODUCTS).map(|number| changing(number, chance)));
    recorded(opening.into_iter().chain(mixed(chance, stories)))
}

/// One event of any of these at a time, each in its own order.
pub(super) fn mixed<T>(chance: &mut StdRng, mut queues: Vec<VecDeque<T>>) -> Vec<T> {
    let mut all = Vec::new();
    queues.retain(|queue| !queue.is_empty());
    while !queues.is_empty() {
        let index = chance.random_range(0..queues.len());
        all.extend(queues[index].pop_front());
        queues.retain(|queue| !queue.is_empty());
    }
    all
}

fn recorded(events: impl Iterator<Item = (StreamId, Event)>) -> Vec<Recorded> {
    let mut versions: HashMap<StreamId, u32> = HashMap::new();
    let metadata = Metadata {
        correlation_id: Uuid::from_u128(1),
        causation_id: None,
        actor: Actor::system("test"),
        traceparent: None,
    };
    let numbered = (1..).zip(events);
    let record = numbered.map(|(position, (stream, event))| {
        let version = versions.entry(stream.clone()).or_insert(0);
        *version += 1;
        Recorded {
            position: Position(position),
            event_id: Uuid::from_u128(u128::from(position)),
            version: *version,
            stream,
            type_name: event.type_name().to_owned(),
            schema_version: event.schema_version(),
            recorded_at: at(position),
            command_id: Uuid::from_u128(u128::from(position)),
            metadata: metadata.clone(),
            event,
        }
    });
    record.collect()
}

fn sku(number: u128) -> Sku {
    Sku::parse(&format!("SKU-{number}")).unwrap()
}

fn names(text: &str) -> LocalisedText {
    LocalisedText::names(BTreeMap::from([(Locale::parse("ko").unwrap(), text.to_owned())])).unwrap()
}

fn of_product(number: u128, event: impl Into<product::Event>) -> (StreamId, Event) {
    (StreamId::product(ProductId(Uuid::from_u128(number))), Event::Product(event.into()))
}

fn of_item(number: u128, event: impl Into<stock::Event>) -> (StreamId, Event) {
    (StreamId::stock(&sku(number)), Event::Stock(event.into()))
}

fn opening(number: u128) -> Story {
    let product_id = ProductId(Uuid::from_u128(number));
    let created = product::Created {
        product_id,
        sku: sku(number),
        name: names(&format!("운동화 {number}")),
        description: LocalisedText::default(),
        category: ["shoes", "shoes/running", "clothes"][number as usize % 3].to_owned(),
        brand: Some("Nike".to_owned()).filter(|_| number.is_multiple_of(2)),
        attributes: BTreeMap::from([("colour".to_owned(), ["red", "blue"][number as usize % 2].to_owned())]),
        prices: vec![Money::new(10_000 * number as i64, Currency::KRW)],
        images: Vec::new(),
    };
    Story::from([
        of_product(number, created),
        of_item(number, stock::Listed { sku: sku(number), product_id }),
        of_product(number, product::Published {}),
        of_item(number, stock::Received { quantity: 60, reason: "delivery".to_owned() }),
        of_item(number, stock::ReorderPointSet { quantity: 5 }),
    ])
}

/// It is changed, withdrawn and offered again, and runs out now and then.
fn changing(number: u128, chance: &mut StdRng) -> Story {
    let changed = product::Changed {
        category: Some("sale".to_owned()),
        prices: Some(vec![Money::new(9_000, Currency::KRW)]),
        ..product::Changed::default()
    };
    let mut story = Story::from([of_product(number, changed)]);
    for _ in 0..chance.random_range(0..3) {
        story.push_back(of_product(number, product::Unpublished {}));
        story.push_back(of_item(number, stock::ReplenishmentNeeded { available: 4, reorder_point: 5 }));
        story.push_back(of_product(number, product::Published {}));
        story.push_back(of_item(number, stock::Received { quantity: 1, reason: "delivery".to_owned() }));
    }
    story
}

/// A person registers, orders once or twice, and may ask to be forgotten at any time.
fn shopping(number: u128, chance: &mut StdRng) -> Story {
    let (customer_id, subject) =
        (CustomerId(Uuid::from_u128(0x1000 + number)), SubjectId(Uuid::from_u128(0x1000 + number)));
    let of = |event: domain::customer::Event| (StreamId::customer(customer_id), Event::Customer(event));
    let registered = Registered {
        customer_id,
        subject,
        email_index: EmailIndex::parse(&format!("{number:064x}")).unwrap(),
        locale: Locale::parse("ko").unwrap(),
        personal: Personal::Known(Profile {
            email: Email::parse(&format!("hong{number}@example.com")).unwrap(),
            name: PersonName::parse("홍길동").unwrap(),
            phone: None,
        }),
    };
    let added = AddressAdded {
        customer_id,
        address_id: AddressId(Uuid::from_u128(number)),
        subject,
        personal: Personal::Known(address()),
    };
    let mut orders = Story::new();
    for order in 0..chance.random_range(1..3) {
        orders.extend(buying(0x1_0000 + number * 16 + order, customer_id, subject, chance));
    }
    let mut others = Story::from([of(added.into())]);
    if chance.random_bool(0.4) {
        others.push_back(of(Forgotten { customer_id, subject }.into()));
    }
    let first = of(registered.into());
    std::iter::once(first).chain(mixed(chance, vec![orders, others])).collect()
}

/// A cart becomes an order, which goes one of its ways.
fn buying(id: u128, customer_id: CustomerId, subject: SubjectId, chance: &mut StdRng) -> Story {
    let (order_id, payment_id, cart_id) =
        (OrderId(Uuid::from_u128(id)), PaymentId(Uuid::from_u128(id)), CartId(Uuid::from_u128(id)));
    let owner = Owner::Customer(customer_id);
    let mut bought: Vec<u128> =
        (0..chance.random_range(1..4)).map(|_| chance.random_range(1..=PRODUCTS)).collect();
    bought.sort_unstable();
    bought.dedup();
    let mut lines: Vec<order::Line> = bought.iter().map(|number| line(*number)).collect();
    if chance.random_bool(0.2) {
        lines.push(line(PRODUCTS + 1));
    }
    let event = order::Placed { order_id, cart_id, payment_id, owner, lines, subject, ..placed() };
    let requested = payment::Requested {
        payment_id,
        order_id,
        amount: event.total,
        gateway: "sandbox".to_owned(),
        subject,
        personal: Personal::Known("approve".to_owned()),
    };
    let opened =
        cart::Opened { cart_id, owner, currency: Currency::KRW, locale: Locale::parse("ko").unwrap() };
    let of_cart = |event: cart::Event| (StreamId::cart(cart_id), Event::Cart(event));
    let of_order = |event: order::Event| (StreamId::order(order_id), Event::Order(event));
    let mut story = Story::from([of_cart(opened.into())]);
    story.extend(bought.iter().map(|number| {
        let product_id = ProductId(Uuid::from_u128(*number));
        of_cart(cart::ItemSet { sku: sku(*number), product_id, quantity: 2 }.into())
    }));
    story.push_back(of_order(event.into()));
    story.extend(bought.iter().map(|number| of_item(*number, stock::Reserved { order_id, quantity: 2 })));
    story.push_back((StreamId::payment(payment_id), Event::Payment(requested.into())));
    story.push_back(of_cart(cart::CheckedOut { order_id }.into()));
    if chance.random_bool(0.7) {
        story.extend(sending(id, &bought));
    } else {
        story.push_back(of_order(order::Cancelled { reason: "changed my mind".to_owned() }.into()));
        story.extend(bought.iter().map(|number| of_item(*number, stock::Released { order_id, quantity: 2 })));
    }
    story
}

fn line(number: u128) -> order::Line {
    order::Line {
        sku: sku(number),
        product_id: ProductId(Uuid::from_u128(number)),
        name: names(&format!("운동화 {number}")),
        quantity: 2,
        unit_price: won(10_000),
        total: won(20_000),
        tax: won(1_818),
    }
}

/// It is paid, sent and delivered, and the first line of it comes back.
fn sending(id: u128, bought: &[u128]) -> Story {
    let (order_id, payment_id) = (OrderId(Uuid::from_u128(id)), PaymentId(Uuid::from_u128(id)));
    let (shipment_id, capture_id) = (ShipmentId(Uuid::from_u128(id)), CaptureId(Uuid::from_u128(id)));
    let return_id = ReturnId(Uuid::from_u128(id));
    let of_order = |event: order::Event| (StreamId::order(order_id), Event::Order(event));
    let of_payment = |event: payment::Event| (StreamId::payment(payment_id), Event::Payment(event));
    let pieces = |number: u128, quantity| order::Pieces { sku: sku(number), quantity };
    let notice = notification::Requested {
        notification_id: NotificationId(Uuid::from_u128(id)),
        order_id,
        template: notification::Template::OrderConfirmed,
        channel: notification::Channel::Email,
        locale: Locale::parse("ko").unwrap(),
        expires_at: at(9_000),
    };
    let sent = order::ShipmentSent {
        shipment_id,
        lines: bought.iter().map(|number| pieces(*number, 2)).collect(),
        carrier: "CJ대한통운".to_owned(),
        tracking_number: "1234".to_owned(),
    };
    let amount = won(123_000);
    let back = order::ReturnRequested {
        return_id,
        lines: vec![pieces(bought[0], 1)],
        reason: "too small".to_owned(),
    };
    let mut story = Story::from([
        of_payment(payment::Authorised { gateway_reference: "sb-1".to_owned(), amount }.into()),
        of_order(order::Confirmed { payment_id }.into()),
        (StreamId::notification(notice.notification_id), Event::Notification(notice.into())),
        of_order(sent.into()),
    ]);
    story.extend(
        bought.iter().map(|number| of_item(*number, stock::Shipped { order_id, shipment_id, quantity: 2 })),
    );
    story.extend([
        of_payment(payment::Captured { capture_id, amount }.into()),
        of_order(order::ShipmentDelivered { shipment_id }.into()),
        of_order(back.into()),
        of_order(order::ReturnReceived { return_id, refund: won(10_000), restocked: true }.into()),
        of_item(bought[0], stock::Restocked { order_id, return_id, quantity: 1 }),
        of_order(order::Refunded { refund_id: RefundId(Uuid::from_u128(id)), amount: won(10_000) }.into()),
    ]);
    story
}
