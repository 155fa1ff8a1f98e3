//! A shop whose command API is called as from outside: the real router, on a real database.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
pub(crate) use command_api::Config;
use command_api::accounts::Accounts;
use command_api::engine::{Engine, Submission};
use command_api::{App, api};
use domain::checkout::{self, Outcome};
use domain::ids::{CaptureId, OrderId, PaymentId};
use domain::{Command, Event, StreamId, order, payment};
use event_store::testing::TestDatabase;
use event_store::{EventStore, Head};
use http_surface::auth::{Claims, Keys, Role};
use http_surface::{Probes, surface};
use payments::Gateways;
use payments::sandbox::Sandbox;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

pub(crate) use crate::call::{Answer, Call};

pub(crate) const WEBHOOK_SECRET: &str = "a webhook secret";

pub(crate) struct Shop {
    pub(crate) store: EventStore,
    pub(crate) engine: Engine,
    pub(crate) keys: Keys,
    pub(crate) accounts: Accounts,
    pub(crate) database: TestDatabase,
    router: Router,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(Config::default()).await
    }

    pub(crate) async fn open_with(config: Config) -> Self {
        let database = TestDatabase::create().await;
        let store = database.store().await;
        let engine = crate::given::engine(&store);
        let keys = Keys::new(&[9; 32]).unwrap();
        let accounts = Accounts::new(database.pool.clone());
        // Nobody calls it: what comes of a payment is said by the tests.
        let sandbox =
            Sandbox::new("http://127.0.0.1:1", WEBHOOK_SECRET.into(), Duration::from_secs(1)).unwrap();
        let gateways = Gateways::default().with(sandbox);
        let app = App::new(store.clone(), engine.clone(), keys.clone(), gateways, accounts.clone(), config);
        let (router, document) = api(app);
        let probes = Probes { ready: Arc::new(|| Box::pin(async { Ok(()) })), metrics: None };
        let router = surface(router, document, probes);
        Self { store, engine, keys, accounts, database, router }
    }

    pub(crate) async fn send(&self, call: Call) -> Answer {
        let mut request =
            Request::builder().method(call.method).uri(call.path).body(Body::from(call.body)).unwrap();
        *request.headers_mut() = call.headers;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn head(&self) -> Head {
        self.store.head().await.unwrap()
    }

    /// A call that is refused with that problem, and changes nothing.
    pub(crate) async fn refused(&self, call: Call, status: u16, code: &str) -> Answer {
        let before = self.head().await;
        let answer = self.send(call).await.problem(status, code);
        assert_eq!(self.head().await, before, "a refused call has changed something: {answer:#?}");
        answer
    }

    pub(crate) fn token(&self, id: Uuid, roles: &[Role]) -> String {
        self.keys.issue(&Claims::new(id, roles.to_vec(), None, Duration::from_secs(600))).unwrap()
    }

    pub(crate) fn staff(&self) -> String {
        self.token(Uuid::now_v7(), &[Role::Staff])
    }

    /// The token of a customer with an account.
    pub(crate) async fn customer(&self) -> String {
        let id = Uuid::now_v7();
        let index = self.store.email_index(&format!("{id}@example.com").parse().unwrap());
        self.accounts.add(&index, &"correct horse battery".into(), id, &[Role::Customer]).await.unwrap();
        self.token(id, &[Role::Customer])
    }

    /// A product on sale with that many pieces; its SKU.
    pub(crate) async fn product(&self, pieces: u32) -> String {
        let (staff, sku) = (self.staff(), crate::given::sku().to_string());
        let id = self
            .send(Call::post("/v1/products", product(&sku)).bearer(&staff))
            .await
            .expect(201)
            .text("/product_id");
        self.send(Call::post(format!("/v1/products/{id}/publish"), json!({})).bearer(&staff))
            .await
            .expect(204);
        if pieces > 0 {
            let receipt = Call::post(format!("/v1/stock/{sku}/receipts"), json!({"quantity": pieces}));
            self.send(receipt.bearer(&staff)).await.expect(204);
        }
        sku
    }

    /// A guest's cart with that many pieces in it; its id and the guest's token.
    pub(crate) async fn cart(&self, sku: &str, quantity: u32) -> (String, String) {
        let cart = self.send(Call::post("/v1/carts", json!({}))).await.expect(201);
        let (id, guest) = (cart.text("/cart_id"), cart.text("/guest_token"));
        let item = Call::put(format!("/v1/carts/{id}/items/{sku}"), json!({"quantity": quantity}));
        self.send(item.bearer(&guest)).await.expect(204);
        (id, guest)
    }

    /// A guest's order of so many pieces, not paid yet; its id and the guest's token.
    pub(crate) async fn order(&self, sku: &str, quantity: u32) -> (OrderId, String) {
        let (cart, guest) = self.cart(sku, quantity).await;
        let placed = self.send(Call::post("/v1/orders", order_body(&cart)).bearer(&guest)).await.expect(201);
        (placed.text("/order_id").parse().unwrap(), guest)
    }

    /// The same, paid and captured, sent and delivered; its id and the guest's token.
    pub(crate) async fn delivered(&self, sku: &str, quantity: u32) -> (OrderId, String) {
        let (order, guest) = self.order(sku, quantity).await;
        self.settle(order, true).await;
        let staff = self.staff();
        let parcel = json!({"carrier": "CJ대한통운", "tracking_number": "123456789012"});
        let shipments = format!("/v1/orders/{order}/shipments");
        let shipment =
            self.send(Call::post(&shipments, parcel).bearer(&staff)).await.expect(201).text("/shipment_id");
        let delivered = Call::post(format!("{shipments}/{shipment}/delivered"), json!({}));
        self.send(delivered.bearer(&staff)).await.expect(204);
        self.capture(order).await;
        (order, guest)
    }

    /// The gateway says yes or no.
    pub(crate) async fn settle(&self, order_id: OrderId, yes: bool) {
        let (payment_id, amount) = self.payment(order_id).await;
        let outcome = if yes {
            Outcome::Authorised { gateway_reference: "ref".to_owned(), amount }
        } else {
            Outcome::Declined { reason: "declined".to_owned() }
        };
        let settle = checkout::Command::SettlePayment { payment_id, outcome, capture: None };
        self.internal(Command::Checkout(settle)).await;
    }

    /// The gateway has captured what was asked for.
    pub(crate) async fn capture(&self, order_id: OrderId) {
        let (payment_id, _) = self.payment(order_id).await;
        for recorded in self.store.read_stream(&StreamId::payment(payment_id), 0).await.unwrap() {
            if let Event::Payment(payment::Event::CaptureRequested(asked)) = recorded.event {
                let (capture_id, amount): (CaptureId, _) = (asked.capture_id, asked.amount);
                let action = payment::Action::RecordCaptured { capture_id, amount };
                self.internal(Command::Payment(payment::Command { payment_id, action })).await;
            }
        }
    }

    async fn internal(&self, command: Command) {
        let name = Uuid::now_v7().to_string();
        self.engine.execute(Submission::internal(command, &name, "test", None)).await.unwrap();
    }

    pub(crate) async fn payment(&self, order_id: OrderId) -> (PaymentId, domain::Money) {
        let placed = self.order_events(order_id).await.into_iter().next().expect("an order");
        let order::Event::Placed(placed) = placed else { panic!("{placed:?} is first") };
        (placed.payment_id, placed.total)
    }

    pub(crate) async fn order_events(&self, order_id: OrderId) -> Vec<order::Event> {
        let events = self.store.read_stream(&StreamId::order(order_id), 0).await.unwrap();
        let of_order = |recorded: event_store::Recorded| match recorded.event {
            Event::Order(event) => event,
            other => panic!("{other:?} in an order's stream"),
        };
        events.into_iter().map(of_order).collect()
    }

    /// How far an order has come, as the log has it.
    pub(crate) async fn status(&self, order_id: OrderId) -> &'static str {
        let events = self.order_events(order_id).await;
        events.iter().fold(order::State::default(), order::evolve).status().unwrap().as_str()
    }
}

pub(crate) fn product(sku: &str) -> Value {
    json!({
        "sku": sku, "name": {"ko": "나이키 에어맥스 운동화", "en": "Nike Air Max"}, "description": {"ko": "가벼운 운동화"},
        "category": "shoes/running", "brand": "Nike", "attributes": {"colour": "black"},
        "prices": [{"amount": 60_000, "currency": "KRW"}], "images": ["https://example.com/1.jpg"],
    })
}

pub(crate) fn order_body(cart: &str) -> Value {
    json!({
        "cart_id": cart,
        "contact": {"email": "guest@example.com", "name": "홍길동", "phone": "+821012345678"},
        "shipping_address": address(),
        "payment": {"gateway": "sandbox", "token": "approve"},
    })
}

pub(crate) fn address() -> Value {
    json!({"recipient": "홍길동", "line1": "세종대로 110", "city": "서울", "postal_code": "04524", "country": "KR"})
}
