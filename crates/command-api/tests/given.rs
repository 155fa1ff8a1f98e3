//! Engines, and what they are asked here.

use command_api::engine::{Engine, Error, Options, Receipt, Submission};
use domain::ids::{CartId, OrderId, PaymentId, ProductId};
use domain::order::Delivery;
use domain::text::{CountryCode, Email, Locale, LocalisedText, PersonName, Sku};
use domain::{Actor, Address, Command, Contact, Currency, Money, Owner, cart, checkout, product, stock};
use event_store::{CommandKey, EventStore, Metadata};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) fn engine(store: &EventStore) -> Engine {
    engine_with(store, Options::default())
}

pub(crate) fn engine_with(store: &EventStore, options: Options) -> Engine {
    Engine::start(store.clone(), options, CancellationToken::new()).0
}

pub(crate) fn sku() -> Sku {
    Sku::parse(&format!("SKU-{}", Uuid::now_v7().simple())).unwrap()
}

pub(crate) fn submission(actor: Actor, command: Command) -> Submission {
    Submission {
        key: CommandKey { scope: 1, id: Uuid::now_v7() },
        fingerprint: [7; 32],
        metadata: Metadata { correlation_id: Uuid::now_v7(), causation_id: None, actor, traceparent: None },
        command,
        answer: serde_json::json!({"answer": "first"}),
        if_match: None,
    }
}

pub(crate) async fn ask(engine: &Engine, command: Command) -> Result<Receipt, Error> {
    engine.execute(submission(Actor::system("test"), command)).await
}

pub(crate) fn receive(sku: &Sku, quantity: u32) -> Command {
    let action = stock::Action::Receive { quantity, reason: "test".to_owned() };
    Command::Stock(stock::Command { sku: sku.clone(), action })
}

/// A product on sale for 10,000 won, with that many pieces.
pub(crate) async fn product(engine: &Engine, sku: &Sku, pieces: u32) {
    let created = new_product(sku);
    let product_id = created.product_id;
    ask(engine, Command::Product(product::Command::Create(created))).await.unwrap();
    ask(engine, Command::Product(product::Command::Publish { product_id })).await.unwrap();
    if pieces > 0 {
        ask(engine, receive(sku, pieces)).await.unwrap();
    }
}

/// A product for 10,000 won that nobody has created yet.
pub(crate) fn new_product(sku: &Sku) -> product::Created {
    product::Created {
        product_id: ProductId(Uuid::now_v7()),
        sku: sku.clone(),
        name: LocalisedText::names([(Locale::parse("ko").unwrap(), "운동화".to_owned())]).unwrap(),
        description: LocalisedText::default(),
        category: "shoes".to_owned(),
        brand: None,
        attributes: Default::default(),
        prices: vec![Money::new(10_000, Currency::KRW)],
        images: Vec::new(),
    }
}

/// A guest's cart with one piece in it.
pub(crate) async fn cart(engine: &Engine, sku: &Sku) -> CartId {
    let cart_id = CartId(Uuid::now_v7());
    let (owner, by) = (Owner::Guest(cart_id), Actor::Guest(cart_id));
    let locale = Locale::parse("ko").unwrap();
    ask(engine, Command::Cart(cart::Command::Open { cart_id, owner, currency: Currency::KRW, locale }))
        .await
        .unwrap();
    let set = cart::Command::SetItem { cart_id, by, sku: sku.clone(), quantity: 1 };
    ask(engine, Command::Cart(set)).await.unwrap();
    cart_id
}

pub(crate) fn place(cart_id: CartId) -> Command {
    let at = chrono::Utc::now();
    Command::Checkout(checkout::Command::PlaceOrder {
        order_id: OrderId(Uuid::now_v7()),
        payment_id: PaymentId(Uuid::now_v7()),
        cart_id,
        by: Actor::Guest(cart_id),
        delivery: Delivery {
            contact: Contact {
                email: Email::parse("guest@example.com").unwrap(),
                name: PersonName::parse("홍길동").unwrap(),
                phone: None,
            },
            address: Address {
                recipient: PersonName::parse("홍길동").unwrap(),
                line1: "세종대로 110".to_owned(),
                line2: None,
                city: "서울".to_owned(),
                region: None,
                postal_code: "04524".to_owned(),
                country: CountryCode::parse("KR").unwrap(),
            },
        },
        shipping_method: None,
        gateway: "sandbox".to_owned(),
        token: "approve".to_owned(),
        at,
        reserved_until: at + chrono::Duration::minutes(15),
    })
}

/// The code of a refusal.
#[track_caller]
pub(crate) fn code(result: Result<Receipt, Error>) -> &'static str {
    match result {
        Err(Error::Refused(refusal)) => refusal.code,
        other => panic!("{other:?} is no refusal"),
    }
}

/// The state of a stock item as the log has it, whatever any engine believes.
pub(crate) async fn stock_in_log(store: &EventStore, sku: &Sku) -> stock::State {
    let events = store.read_stream(&domain::StreamId::stock(sku), 0).await.unwrap();
    assert!(events.iter().zip(1..).all(|(event, version)| event.version == version), "versions have gaps");
    events.iter().fold(stock::State::default(), |state, recorded| match &recorded.event {
        domain::Event::Stock(event) => stock::evolve(state, event),
        other => panic!("{other:?} in a stock stream"),
    })
}

/// Positions are 1, 2, 3, … up to the head.
pub(crate) async fn assert_gapless(store: &EventStore) {
    let (count, last): (i64, Option<i64>) = sqlx::query_as("SELECT count(*), max(position) FROM log.events")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(count, last.unwrap_or(0));
    assert_eq!(store.head().await.unwrap().position.0, count.unsigned_abs());
}
