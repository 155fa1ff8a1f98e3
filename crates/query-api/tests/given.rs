//! What has happened before: commands given to a real engine.

use command_api::engine::Receipt;
use domain::ids::{
    CaptureId, CartId, CustomerId, NotificationId, OrderId, PaymentId, ProductId, RefundId, ShipmentId,
};
use domain::notification::{Channel, Template};
use domain::order::Delivery;
use domain::text::{CountryCode, Email, Locale, LocalisedText, PersonName, Sku};
use domain::{
    Actor, Address, Command, Contact, Currency, Event, Money, Owner, StreamId, cart, checkout, customer,
    notification, order, payment, product, stock,
};
use uuid::Uuid;

use crate::shop::Shop;

/// Nobody is called this; found in an answer, personal data has got out.
pub(crate) const CANARY: &str = "Canary";

/// An order and what belongs to it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) order_id: OrderId,
    pub(crate) payment_id: PaymentId,
    pub(crate) cart_id: CartId,
    pub(crate) by: Actor,
}

fn locale(name: &str) -> Locale {
    Locale::parse(name).unwrap()
}

pub(crate) fn contact() -> Contact {
    Contact {
        email: Email::parse("canary@Canary.example").unwrap(),
        name: PersonName::parse("홍길동 Canary").unwrap(),
        phone: None,
    }
}

fn delivery() -> Delivery {
    let address = Address {
        recipient: PersonName::parse("홍길동 Canary").unwrap(),
        line1: "Canary 110".to_owned(),
        line2: None,
        city: "서울".to_owned(),
        region: None,
        postal_code: "04524".to_owned(),
        country: CountryCode::parse("KR").unwrap(),
    };
    Delivery { contact: contact(), address }
}

impl Shop {
    /// A product on sale for 10,000 won, with that many pieces.
    pub(crate) async fn product(&self, pieces: u32) -> Sku {
        let sku = Sku::parse(&format!("SKU-{}", Uuid::now_v7().simple())).unwrap();
        let product_id = ProductId(Uuid::now_v7());
        let names = [(locale("ko"), "운동화".to_owned()), (locale("en"), "Running shoes".to_owned())];
        let created = product::Created {
            product_id,
            sku: sku.clone(),
            name: LocalisedText::names(names).unwrap(),
            description: LocalisedText::default(),
            category: "shoes".to_owned(),
            brand: None,
            attributes: Default::default(),
            prices: vec![Money::new(10_000, Currency::KRW)],
            images: Vec::new(),
        };
        self.ask(Command::Product(product::Command::Create(created))).await;
        self.ask(Command::Product(product::Command::Publish { product_id })).await;
        if pieces > 0 {
            self.stock(&sku, stock::Action::Receive { quantity: pieces, reason: "test".to_owned() }).await;
        }
        sku
    }

    pub(crate) async fn product_id(&self, sku: &Sku) -> String {
        let events = self.store.read_stream(&StreamId::stock(sku), 0).await.unwrap();
        match &events[0].event {
            Event::Stock(stock::Event::Listed(listed)) => listed.product_id.to_string(),
            other => panic!("{other:?} begins a stock item"),
        }
    }

    pub(crate) async fn stock(&self, sku: &Sku, action: stock::Action) -> Receipt {
        self.ask(Command::Stock(stock::Command { sku: sku.clone(), action })).await
    }

    pub(crate) async fn customer(&self) -> CustomerId {
        let customer_id = CustomerId(Uuid::now_v7());
        let contact = Contact {
            email: Email::parse(&format!("canary-{customer_id}@example.com")).unwrap(),
            ..contact()
        };
        let email_index = self.store.email_index(&contact.email);
        let profile = customer::Profile { email: contact.email, name: contact.name, phone: None };
        let register =
            customer::Command::Register { customer_id, email_index, locale: locale("ko"), profile };
        self.ask_as(Actor::Customer(customer_id), Command::Customer(register)).await;
        customer_id
    }

    /// A guest's cart.
    pub(crate) async fn guest_cart(&self, sku: &Sku, quantity: u32) -> CartId {
        let cart_id = CartId(Uuid::now_v7());
        self.cart(cart_id, Owner::Guest(cart_id), Actor::Guest(cart_id), sku, quantity).await;
        cart_id
    }

    async fn cart(&self, cart_id: CartId, owner: Owner, by: Actor, sku: &Sku, quantity: u32) {
        let open = cart::Command::Open { cart_id, owner, currency: Currency::KRW, locale: locale("ko") };
        self.ask_as(by.clone(), Command::Cart(open)).await;
        let set = cart::Command::SetItem { cart_id, by: by.clone(), sku: sku.clone(), quantity };
        self.ask_as(by, Command::Cart(set)).await;
    }

    /// An order of a guest.
    pub(crate) async fn order(&self, sku: &Sku, quantity: u32) -> Placed {
        let cart_id = self.guest_cart(sku, quantity).await;
        self.place(cart_id, Actor::Guest(cart_id)).await
    }

    /// An order of a customer.
    pub(crate) async fn order_of(&self, customer: CustomerId, sku: &Sku) -> Placed {
        let cart_id = CartId(Uuid::now_v7());
        self.cart(cart_id, Owner::Customer(customer), Actor::Customer(customer), sku, 1).await;
        self.place(cart_id, Actor::Customer(customer)).await
    }

    pub(crate) async fn place(&self, cart_id: CartId, by: Actor) -> Placed {
        let at = chrono::Utc::now();
        let placed =
            Placed { order_id: OrderId(Uuid::now_v7()), payment_id: PaymentId(Uuid::now_v7()), cart_id, by };
        let place = checkout::Command::PlaceOrder {
            order_id: placed.order_id,
            payment_id: placed.payment_id,
            cart_id,
            by: placed.by.clone(),
            delivery: delivery(),
            shipping_method: None,
            gateway: "sandbox".to_owned(),
            token: "approve".to_owned(),
            at,
            reserved_until: at + chrono::Duration::minutes(15),
        };
        self.ask_as(placed.by.clone(), Command::Checkout(place)).await;
        placed
    }

    /// The gateway says yes to the whole amount.
    pub(crate) async fn pay(&self, placed: &Placed, amount: i64) -> Receipt {
        let amount = Money::new(amount, Currency::KRW);
        let outcome = checkout::Outcome::Authorised { gateway_reference: "sandbox-1".to_owned(), amount };
        let settle =
            checkout::Command::SettlePayment { payment_id: placed.payment_id, outcome, capture: None };
        self.ask_as(Actor::Gateway("sandbox".to_owned()), Command::Checkout(settle)).await
    }

    /// Everything is sent, captured and delivered, and the buyer is told.
    pub(crate) async fn deliver(&self, placed: &Placed, amount: i64) -> Receipt {
        let order_id = placed.order_id;
        let (shipment_id, capture_id) = (ShipmentId(Uuid::now_v7()), CaptureId(Uuid::now_v7()));
        let ship = checkout::Command::ShipOrder {
            order_id,
            shipment_id,
            capture_id,
            lines: None,
            carrier: "CJ".to_owned(),
            tracking_number: "123".to_owned(),
        };
        self.ask(Command::Checkout(ship)).await;
        let action =
            payment::Action::RecordCaptured { capture_id, amount: Money::new(amount, Currency::KRW) };
        self.ask(Command::Payment(payment::Command { payment_id: placed.payment_id, action })).await;
        self.notify(order_id).await;
        self.ask(Command::Order(order::Command::Deliver { order_id, shipment_id })).await
    }

    async fn notify(&self, order_id: OrderId) {
        let notification_id = NotificationId(Uuid::now_v7());
        let requested = notification::Requested {
            notification_id,
            order_id,
            template: Template::ShipmentSent,
            channel: Channel::Email,
            locale: locale("ko"),
            expires_at: chrono::Utc::now() + chrono::Duration::days(1),
        };
        self.ask(Command::Notification(notification::Command::Request(requested))).await;
        let provider_reference = "smtp-1".to_owned();
        let sent = notification::Command::RecordSent { notification_id, provider_reference };
        self.ask(Command::Notification(sent)).await;
    }

    pub(crate) async fn cancel(&self, placed: &Placed) -> Receipt {
        let cancel = checkout::Command::CancelOrder {
            order_id: placed.order_id,
            by: placed.by.clone(),
            reason: "changed my mind".to_owned(),
            refund_id: RefundId(Uuid::now_v7()),
        };
        self.ask_as(placed.by.clone(), Command::Checkout(cancel)).await
    }
}
