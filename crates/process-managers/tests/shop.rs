//! What is asked of the engine here.

use command_api::engine::{Engine, Submission};
use domain::ids::{
    CaptureId, CartId, CustomerId, OrderId, PaymentId, ProductId, RefundId, ReturnId, ShipmentId,
};
use domain::order::Delivery;
use domain::text::{CountryCode, Email, Locale, LocalisedText, PersonName, Sku};
use domain::{
    Actor, Address, Command, Contact, Currency, Money, Owner, Time, cart, checkout, order, product, stock,
};
use uuid::Uuid;

/// The price of a piece.
pub(crate) const PRICE: i64 = 100_000;

/// An order as it was placed here.
#[derive(Debug, Clone)]
pub(crate) struct Ordered {
    pub(crate) order_id: OrderId,
    pub(crate) payment_id: PaymentId,
    pub(crate) sku: Sku,
    pub(crate) by: Actor,
}

pub(crate) async fn ask(engine: &Engine, command: Command) {
    let name = Uuid::now_v7().to_string();
    engine.execute(Submission::internal(command, &name, "test", None)).await.unwrap();
}

/// A product on sale, with that many pieces.
pub(crate) async fn product(engine: &Engine, pieces: u32) -> Sku {
    let sku = Sku::parse(&format!("SKU-{}", Uuid::now_v7().simple())).unwrap();
    let product_id = ProductId(Uuid::now_v7());
    let created = product::Created {
        product_id,
        sku: sku.clone(),
        name: LocalisedText::names([(Locale::parse("ko").unwrap(), "운동화".to_owned())]).unwrap(),
        description: LocalisedText::default(),
        category: "shoes".to_owned(),
        brand: None,
        attributes: Default::default(),
        prices: vec![Money::new(PRICE, Currency::KRW)],
        images: Vec::new(),
    };
    ask(engine, Command::Product(product::Command::Create(created))).await;
    ask(engine, Command::Product(product::Command::Publish { product_id })).await;
    let action = stock::Action::Receive { quantity: pieces, reason: "test".to_owned() };
    ask(engine, Command::Stock(stock::Command { sku: sku.clone(), action })).await;
    sku
}

pub(crate) fn contact() -> Contact {
    let name = PersonName::parse("홍길동").unwrap();
    Contact { email: Email::parse("guest@example.com").unwrap(), name, phone: None }
}

fn address() -> Address {
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

/// How an order is placed.
#[derive(Debug, Clone)]
pub(crate) struct Order<'a> {
    pub(crate) sku: &'a Sku,
    pub(crate) pieces: u32,
    pub(crate) gateway: &'a str,
    pub(crate) token: &'a str,
    pub(crate) reserved_until: Time,
    pub(crate) customer: Option<CustomerId>,
}

impl<'a> Order<'a> {
    pub(crate) fn of(sku: &'a Sku, token: &'a str) -> Self {
        let reserved_until = chrono::Utc::now() + chrono::Duration::minutes(15);
        Self { sku, pieces: 1, gateway: "sandbox", token, reserved_until, customer: None }
    }

    pub(crate) async fn place(self, engine: &Engine) -> Ordered {
        let (cart_id, sku) = (CartId(Uuid::now_v7()), self.sku.clone());
        let (owner, by) = match self.customer {
            Some(customer_id) => (Owner::Customer(customer_id), Actor::Customer(customer_id)),
            None => (Owner::Guest(cart_id), Actor::Guest(cart_id)),
        };
        let locale = Locale::parse("ko").unwrap();
        ask(engine, Command::Cart(cart::Command::Open { cart_id, owner, currency: Currency::KRW, locale }))
            .await;
        let set = cart::Command::SetItem { cart_id, by: by.clone(), sku: sku.clone(), quantity: self.pieces };
        ask(engine, Command::Cart(set)).await;
        let (order_id, payment_id) = (OrderId(Uuid::now_v7()), PaymentId(Uuid::now_v7()));
        let place = checkout::Command::PlaceOrder {
            order_id,
            payment_id,
            cart_id,
            by: by.clone(),
            delivery: Delivery { contact: contact(), address: address() },
            shipping_method: None,
            gateway: self.gateway.to_owned(),
            token: self.token.to_owned(),
            at: chrono::Utc::now(),
            reserved_until: self.reserved_until,
        };
        ask(engine, Command::Checkout(place)).await;
        Ordered { order_id, payment_id, sku, by }
    }
}

impl Ordered {
    pub(crate) fn cancel(&self) -> Command {
        Command::Checkout(checkout::Command::CancelOrder {
            order_id: self.order_id,
            by: self.by.clone(),
            reason: "changed my mind".to_owned(),
            refund_id: RefundId(Uuid::now_v7()),
        })
    }

    pub(crate) fn ship(&self, shipment_id: ShipmentId) -> Command {
        Command::Checkout(checkout::Command::ShipOrder {
            order_id: self.order_id,
            shipment_id,
            capture_id: CaptureId(Uuid::now_v7()),
            lines: None,
            carrier: "CJ".to_owned(),
            tracking_number: "1".to_owned(),
        })
    }

    pub(crate) fn deliver(&self, shipment_id: ShipmentId) -> Command {
        Command::Order(order::Command::Deliver { order_id: self.order_id, shipment_id })
    }

    pub(crate) fn ask_return(&self, return_id: ReturnId) -> Command {
        Command::Order(order::Command::RequestReturn {
            order_id: self.order_id,
            by: self.by.clone(),
            return_id,
            lines: None,
            reason: "too small".to_owned(),
        })
    }

    pub(crate) fn receive_return(&self, return_id: ReturnId) -> Command {
        Command::Checkout(checkout::Command::ReceiveReturn {
            order_id: self.order_id,
            return_id,
            refund_id: RefundId(Uuid::now_v7()),
            amount: None,
            restock: true,
        })
    }

    pub(crate) fn refund(&self, amount: i64) -> Command {
        Command::Checkout(checkout::Command::RefundOrder {
            order_id: self.order_id,
            refund_id: RefundId(Uuid::now_v7()),
            amount: Some(Money::new(amount, Currency::KRW)),
            reason: "scratched".to_owned(),
        })
    }
}
