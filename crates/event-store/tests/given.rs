//! What these tests append.

use chrono::Utc;
use domain::ids::{CartId, ProductId};
use domain::text::{Locale, Sku};
use domain::{Actor, Currency, Event, Owner, StreamId, cart, stock};
use event_store::{Appended, Batch, CommandKey, EventStore, Head, Metadata, Proposed};
use uuid::Uuid;

pub(crate) fn sku() -> Sku {
    Sku::parse(&format!("SKU-{}", Uuid::now_v7().simple())).unwrap()
}

pub(crate) fn cart_opened() -> (StreamId, Event) {
    let cart_id = CartId(Uuid::now_v7());
    let opened = cart::Opened {
        cart_id,
        owner: Owner::Guest(cart_id),
        currency: Currency::KRW,
        locale: Locale::parse("ko").unwrap(),
    };
    (StreamId::cart(cart_id), cart::Event::from(opened).into())
}

pub(crate) fn listed(sku: &Sku) -> Event {
    stock::Event::from(stock::Listed { sku: sku.clone(), product_id: ProductId(Uuid::now_v7()) }).into()
}

pub(crate) fn received(quantity: u32) -> Event {
    stock::Event::from(stock::Received { quantity, reason: "test".to_owned() }).into()
}

pub(crate) fn metadata() -> Metadata {
    Metadata {
        correlation_id: Uuid::now_v7(),
        causation_id: None,
        actor: Actor::system("test"),
        traceparent: None,
    }
}

/// A command with those events; what it read follows from their versions.
pub(crate) fn command(events: Vec<(StreamId, u32, Event)>) -> Proposed {
    let mut reads: Vec<(StreamId, u32)> = Vec::new();
    for (stream, version, _) in &events {
        if !reads.iter().any(|(read, _)| read == stream) {
            reads.push((stream.clone(), version - 1));
        }
    }
    Proposed {
        key: CommandKey { scope: 0, id: Uuid::now_v7() },
        fingerprint: [1; 32],
        metadata: metadata(),
        answer: "{\"first\": true}".to_owned(),
        at: Utc::now(),
        record: true,
        events,
        reads,
    }
}

/// Appends as a node that knows where the log ends.
pub(crate) async fn append(store: &EventStore, commands: Vec<Proposed>) -> Appended {
    let known = store.head().await.unwrap();
    append_knowing(store, known, commands).await
}

/// Appends as a node that thinks that the log ends there.
pub(crate) async fn append_knowing(store: &EventStore, known: Head, commands: Vec<Proposed>) -> Appended {
    store.append(&Batch { known, node: Uuid::now_v7(), commands }).await.unwrap()
}
