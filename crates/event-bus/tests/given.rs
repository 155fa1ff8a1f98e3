//! What these tests append.

use chrono::Utc;
use domain::ids::{CartId, ProductId};
use domain::text::{Locale, Sku};
use domain::{Actor, Currency, Event, Owner, StreamId, cart, stock};
use event_store::{Batch, CommandKey, EventStore, Metadata, Position, Proposed};
use sqlx::PgPool;
use uuid::Uuid;

/// A stock item with some receipts, and a cart: the events of two topics, in turn.
pub(crate) async fn shop(store: &EventStore, items: usize, receipts: u32) {
    let skus: Vec<_> =
        (0..items).map(|_| Sku::parse(&format!("SKU-{}", Uuid::now_v7().simple())).unwrap()).collect();
    for version in 1..=receipts + 1 {
        let mut commands: Vec<_> = skus.iter().map(|sku| command(item(sku, version))).collect();
        commands.extend((0..items).map(|_| command(cart_opened())));
        let known = store.head().await.unwrap();
        store.append(&Batch { known, node: Uuid::now_v7(), commands }).await.unwrap();
    }
}

fn item(sku: &Sku, version: u32) -> (StreamId, u32, Event) {
    let event = match version {
        1 => stock::Event::from(stock::Listed { sku: sku.clone(), product_id: ProductId(Uuid::now_v7()) }),
        _ => stock::Event::from(stock::Received { quantity: version, reason: "받았음".to_owned() }),
    };
    (StreamId::stock(sku), version, event.into())
}

fn cart_opened() -> (StreamId, u32, Event) {
    let cart_id = CartId(Uuid::now_v7());
    let opened = cart::Opened {
        cart_id,
        owner: Owner::Guest(cart_id),
        currency: Currency::KRW,
        locale: Locale::parse("ko").unwrap(),
    };
    (StreamId::cart(cart_id), 1, cart::Event::from(opened).into())
}

fn command(event: (StreamId, u32, Event)) -> Proposed {
    let metadata = Metadata {
        correlation_id: Uuid::now_v7(),
        causation_id: Some(Uuid::now_v7()),
        actor: Actor::system("test"),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    };
    Proposed {
        key: CommandKey { scope: 0, id: Uuid::now_v7() },
        fingerprint: [1; 32],
        metadata,
        answer: "{}".to_owned(),
        at: Utc::now(),
        record: true,
        reads: vec![(event.0.clone(), event.1 - 1)],
        events: vec![event],
    }
}

/// An event of a type that this program does not know, as a later version of it would append.
pub(crate) async fn from_the_future(pool: &PgPool) -> Position {
    let sql = "WITH head AS (UPDATE log.head SET position = position + 1 RETURNING position)
        INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id,
                                metadata, data)
        SELECT position, 1, 1, 'cart-' || gen_random_uuid(), 'CartTeleported', gen_random_uuid(), now(), 0, gen_random_uuid(),
               e.metadata, '{}' FROM head, (SELECT metadata FROM log.events LIMIT 1) e
        RETURNING position";
    let position: i64 = sqlx::query_scalar(sql).fetch_one(pool).await.unwrap();
    position.into()
}
