//! Orders as a shop sees them from the first piece in the cart to the delivery: plausible commands for a log that is to be read.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use domain::ids::{CaptureId, CartId, NotificationId, OrderId, PaymentId, ProductId, ShipmentId, SubjectId};
use domain::notification::{self, Channel, Template};
use domain::order::{self, Delivery, Pieces};
use domain::text::{CountryCode, Email, Locale, LocalisedText, PersonName, Sku};
use domain::{
    Actor, Address, Contact, Currency, Event, Money, Owner, Personal, StreamId, cart, payment, stock,
};
use event_store::{CommandKey, Metadata, Proposed};
use uuid::Uuid;

/// Products in the house.
const PRODUCTS: u64 = 200;
/// Orders that are placed before one is sent.
const UNDER_WAY: u64 = 2_000;

type Events = Vec<(StreamId, Event)>;

/// A shop that sells on and on.
pub(super) struct Orders {
    number: u64,
    at: DateTime<Utc>,
    versions: HashMap<StreamId, u32>,
    sent_later: std::collections::VecDeque<Sale>,
}

/// What is known of an order.
struct Sale {
    number: u64,
    order_id: OrderId,
    cart_id: CartId,
    payment_id: PaymentId,
    lines: Vec<order::Line>,
}

impl Orders {
    pub(super) fn new(at: DateTime<Utc>) -> Self {
        Self { number: 0, at, versions: HashMap::new(), sent_later: std::collections::VecDeque::new() }
    }

    /// The goods come in.
    pub(super) fn opening(&mut self) -> Result<Vec<Proposed>> {
        let mut all = Vec::new();
        for number in 0..PRODUCTS {
            let (sku, product_id) = product(number)?;
            let stream = StreamId::stock(&sku);
            let received = stock::Received { quantity: 10_000_000, reason: "supplier delivery".to_owned() };
            let events = vec![
                (stream.clone(), Event::Stock(stock::Listed { sku, product_id }.into())),
                (stream, Event::Stock(received.into())),
            ];
            all.push(self.proposed(Actor::system("bench"), events));
        }
        Ok(all)
    }

    /// The next order is placed, and an earlier one is sent.
    pub(super) fn next(&mut self) -> Result<Vec<Proposed>> {
        self.number += 1;
        self.at += chrono::Duration::milliseconds(700);
        let sale = Sale::new(self.number)?;
        let guest = Actor::Guest(sale.cart_id);
        let mut all = Vec::new();
        for events in sale.filling()? {
            all.push(self.proposed(guest.clone(), events));
        }
        all.push(self.proposed(guest, sale.placing(self.at)?));
        for events in sale.paying(self.at)? {
            all.push(self.proposed(Actor::system("process managers"), events));
        }
        self.sent_later.push_back(sale);
        if self.sent_later.len() as u64 > UNDER_WAY
            && let Some(sale) = self.sent_later.pop_front()
        {
            for events in sale.sending() {
                all.push(self.proposed(Actor::Staff(Uuid::nil()), events));
            }
        }
        Ok(all)
    }

    fn proposed(&mut self, actor: Actor, events: Events) -> Proposed {
        let mut reads = HashMap::new();
        let events = events
            .into_iter()
            .map(|(stream, event)| {
                let version = self.versions.entry(stream.clone()).or_insert(0);
                reads.entry(stream.clone()).or_insert(*version);
                *version += 1;
                (stream, *version, event)
            })
            .collect();
        Proposed {
            key: CommandKey { scope: 0, id: Uuid::now_v7() },
            fingerprint: [1; 32],
            metadata: Metadata {
                correlation_id: Uuid::now_v7(),
                causation_id: None,
                actor,
                traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            },
            answer: "{}".to_owned(),
            at: self.at,
            record: true,
            events,
            reads: reads.into_iter().collect(),
        }
    }
}

fn product(number: u64) -> Result<(Sku, ProductId)> {
    Ok((Sku::parse(&format!("ITEM-{number:05}"))?, ProductId(Uuid::from_u128(u128::from(number) + 1))))
}

fn won(amount: i64) -> Money {
    Money::new(amount, Currency::KRW)
}

impl Sale {
    fn new(number: u64) -> Result<Self> {
        let line = |offset: u64| -> Result<order::Line> {
            let (sku, product_id) = product((number * 7 + offset * 31) % PRODUCTS)?;
            let names = BTreeMap::from([
                (Locale::parse("ko")?, format!("러닝화 {number}")),
                (Locale::parse("en")?, format!("Running shoes {number}")),
            ]);
            let name = LocalisedText::names(names).context("a name")?;
            let (unit_price, total, tax) = (won(60_000), won(60_000), won(5_455));
            Ok(order::Line { sku, product_id, name, quantity: 1, unit_price, total, tax })
        };
        Ok(Self {
            number,
            order_id: OrderId(Uuid::now_v7()),
            cart_id: CartId(Uuid::now_v7()),
            payment_id: PaymentId(Uuid::now_v7()),
            lines: vec![line(0)?, line(1)?],
        })
    }

    fn in_order(&self, event: impl Into<order::Event>) -> (StreamId, Event) {
        (StreamId::order(self.order_id), Event::Order(event.into()))
    }

    fn in_cart(&self, event: impl Into<cart::Event>) -> (StreamId, Event) {
        (StreamId::cart(self.cart_id), Event::Cart(event.into()))
    }

    fn in_payment(&self, event: impl Into<payment::Event>) -> (StreamId, Event) {
        (StreamId::payment(self.payment_id), Event::Payment(event.into()))
    }

    fn filling(&self) -> Result<Vec<Events>> {
        let opened = cart::Opened {
            cart_id: self.cart_id,
            owner: Owner::Guest(self.cart_id),
            currency: Currency::KRW,
            locale: Locale::parse("ko")?,
        };
        let set = |line: &order::Line| cart::ItemSet {
            sku: line.sku.clone(),
            product_id: line.product_id,
            quantity: 1,
        };
        let mut all = vec![vec![self.in_cart(opened)]];
        all.extend(self.lines.iter().map(|line| vec![self.in_cart(set(line))]));
        Ok(all)
    }

    fn placing(&self, at: DateTime<Utc>) -> Result<Events> {
        let subject = SubjectId(self.cart_id.0);
        let requested = payment::Requested {
            payment_id: self.payment_id,
            order_id: self.order_id,
            amount: won(123_000),
            gateway: "sandbox".to_owned(),
            subject,
            personal: Personal::Known("approve".to_owned()),
        };
        let mut events = vec![self.in_order(self.placed(subject, at)?)];
        events.extend(self.lines.iter().map(|line| {
            let reserved = stock::Reserved { order_id: self.order_id, quantity: 1 };
            (StreamId::stock(&line.sku), Event::Stock(reserved.into()))
        }));
        events.push(self.in_payment(requested));
        events.push(self.in_cart(cart::CheckedOut { order_id: self.order_id }));
        Ok(events)
    }

    fn placed(&self, subject: SubjectId, at: DateTime<Utc>) -> Result<order::Placed> {
        let name = PersonName::parse("홍길동")?;
        let address = Address {
            recipient: name.clone(),
            line1: format!("세종대로 {}", self.number),
            line2: Some("3층".to_owned()),
            city: "서울".to_owned(),
            region: None,
            postal_code: "04524".to_owned(),
            country: CountryCode::parse("KR")?,
        };
        let email = Email::parse(&format!("hong{}@example.com", self.number))?;
        Ok(order::Placed {
            order_id: self.order_id,
            cart_id: self.cart_id,
            payment_id: self.payment_id,
            owner: Owner::Guest(self.cart_id),
            locale: Locale::parse("ko")?,
            lines: self.lines.clone(),
            subtotal: won(120_000),
            shipping_method: "standard".to_owned(),
            shipping_fee: won(3_000),
            tax: won(11_182),
            total: won(123_000),
            country: "KR".to_owned(),
            reserved_until: at + chrono::Duration::minutes(15),
            subject,
            personal: Personal::Known(Delivery { contact: Contact { email, name, phone: None }, address }),
        })
    }

    fn paying(&self, at: DateTime<Utc>) -> Result<Vec<Events>> {
        let authorised = payment::Authorised {
            gateway_reference: format!("sb-{}", self.payment_id),
            amount: won(123_000),
        };
        let (notice, notification_id) = self.notice(1);
        let requested = notification::Requested {
            notification_id,
            order_id: self.order_id,
            template: Template::OrderConfirmed,
            channel: Channel::Email,
            locale: Locale::parse("ko")?,
            expires_at: at + chrono::Duration::days(1),
        };
        let sent = notification::Sent { provider_reference: format!("mail-{}", self.number) };
        Ok(vec![
            vec![
                self.in_payment(authorised),
                self.in_order(order::Confirmed { payment_id: self.payment_id }),
            ],
            vec![(notice.clone(), Event::Notification(requested.into()))],
            vec![(notice, Event::Notification(sent.into()))],
        ])
    }

    fn notice(&self, which: u128) -> (StreamId, NotificationId) {
        let id = NotificationId(Uuid::from_u128(self.order_id.0.as_u128() ^ (which << 8)));
        (StreamId::notification(id), id)
    }

    fn sending(&self) -> Vec<Events> {
        let shipment_id = ShipmentId(Uuid::now_v7());
        let capture_id = CaptureId(Uuid::now_v7());
        let amount = won(123_000);
        let pieces = |line: &order::Line| Pieces { sku: line.sku.clone(), quantity: 1 };
        let sent = order::ShipmentSent {
            shipment_id,
            lines: self.lines.iter().map(pieces).collect(),
            carrier: "CJ대한통운".to_owned(),
            tracking_number: format!("{:012}", self.number),
        };
        let wanted = payment::CaptureRequested { capture_id, amount, shipment_id: Some(shipment_id) };
        let mut events = vec![self.in_order(sent)];
        events.extend(self.lines.iter().map(|line| {
            let shipped = stock::Shipped { order_id: self.order_id, shipment_id, quantity: 1 };
            (StreamId::stock(&line.sku), Event::Stock(shipped.into()))
        }));
        events.push(self.in_payment(wanted));
        vec![
            events,
            vec![self.in_payment(payment::Captured { capture_id, amount })],
            vec![self.in_order(order::ShipmentDelivered { shipment_id })],
        ]
    }
}
