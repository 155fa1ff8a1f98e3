//! `GET /v1/events`: the log as analysts see it.

use std::time::Duration;

use event_store::{Filter, Position, Raw};
use http_surface::auth::Role;
use query_api::Config;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::given::{CANARY, Placed};
use crate::shop::Shop;

/// A shop where something of every kind has happened, read in pages of 3.
async fn shop() -> (Shop, Placed) {
    let shop = Shop::open_with(Config { events_per_page: 3, ..Config::default() }).await;
    let sku = shop.product(9).await;
    let customer = shop.customer().await;
    shop.order_of(customer, &sku).await;
    let placed = shop.order(&sku, 2).await;
    shop.pay(&placed, 23_000).await;
    shop.deliver(&placed, 23_000).await;
    (shop, placed)
}

async fn log(shop: &Shop) -> Vec<Raw> {
    shop.store.read_raw(Position(0), 1_000, &Filter::default()).await.unwrap()
}

fn shown(raw: &Raw) -> Value {
    let metadata = serde_json::to_value(&raw.metadata).unwrap();
    json!({
        "position": raw.position,
        "event_id": raw.event_id,
        "stream": raw.stream,
        "version": raw.version,
        "type": raw.type_name,
        "schema_version": raw.schema_version,
        "recorded_at": raw.recorded_at,
        "command_id": raw.command_id,
        "correlation_id": metadata["correlation_id"],
        "causation_id": metadata["causation_id"],
        "actor": metadata["actor"],
        "traceparent": metadata["traceparent"],
        "subject": raw.subject,
        "data": serde_json::from_str::<Value>(raw.data.get()).unwrap(),
    })
}

#[tokio::test]
async fn the_lines_are_the_log() {
    let (shop, _) = shop().await;
    let answer = shop.get("/v1/events", Some(&shop.role(Role::Analyst))).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    assert_eq!(answer.header("consistency-token"), shop.now().await);
    let log = log(&shop).await;
    assert!(log.len() > 20);
    assert_eq!(answer.lines(), log.iter().map(shown).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_filter_leaves_out_what_it_should_and_nothing_else() {
    let (shop, placed) = shop().await;
    let (log, analyst) = (log(&shop).await, shop.role(Role::Analyst));
    let stream = format!("order-{}", placed.order_id);
    let among = |raw: &Raw, types: &[&str]| types.contains(&raw.type_name.as_str());
    let category = |raw: &Raw, name: &str| raw.stream.category().name() == name;
    type Kept<'a> = Box<dyn Fn(&Raw) -> bool + 'a>;
    let filters: Vec<(String, Kept<'_>)> = vec![
        ("after=7".to_owned(), Box::new(|raw| raw.position.0 > 7)),
        ("until=7".to_owned(), Box::new(|raw| raw.position.0 <= 7)),
        ("after=3&until=8".to_owned(), Box::new(|raw| (4..=8).contains(&raw.position.0))),
        ("after=1000000".to_owned(), Box::new(|_| false)),
        ("category=order".to_owned(), Box::new(|raw| category(raw, "order"))),
        (
            "category=stock,%20cart".to_owned(),
            Box::new(|raw| category(raw, "stock") || category(raw, "cart")),
        ),
        (
            "type=OrderPlaced,StockReserved".to_owned(),
            Box::new(|raw| among(raw, &["OrderPlaced", "StockReserved"])),
        ),
        ("category=stock&type=OrderPlaced".to_owned(), Box::new(|_| false)),
        (format!("stream={stream}"), Box::new(|raw| raw.stream.as_str() == stream)),
        (
            format!("stream={stream}&type=OrderConfirmed"),
            Box::new(|raw| raw.stream.as_str() == stream && among(raw, &["OrderConfirmed"])),
        ),
        ("limit=5".to_owned(), Box::new(|raw| raw.position.0 <= 5)),
    ];
    for (query, kept) in filters {
        let answer = shop.get(&format!("/v1/events?{query}"), Some(&analyst)).await.expect(200);
        let expected: Vec<_> = log.iter().filter(|raw| kept(raw)).map(shown).collect();
        assert_eq!(answer.lines(), expected, "{query}");
    }
}

#[tokio::test]
async fn the_log_in_pieces_is_the_log() {
    let (shop, _) = shop().await;
    let analyst = shop.role(Role::Analyst);
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = shop.get(&format!("/v1/events?after={after}&limit=4"), Some(&analyst)).await.lines();
        let Some(last) = page.last() else { break };
        after = last["position"].as_u64().unwrap();
        events.extend(page);
    }
    assert_eq!(events, log(&shop).await.iter().map(shown).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_personal_is_in_it() {
    let (shop, _) = shop().await;
    let answer = shop.get("/v1/events", Some(&shop.role(Role::Analyst))).await.expect(200);
    let text = answer.text().to_lowercase();
    for personal in [CANARY, "홍길동", "서울", "04524", "@example.com", "approve"] {
        assert!(!text.contains(&personal.to_lowercase()), "{personal} is in the events");
    }
    let sealed: Vec<_> = answer.lines().into_iter().filter(|event| !event["subject"].is_null()).collect();
    assert!(sealed.len() >= 5, "the events that have personal data say whose it is");
}

#[tokio::test]
async fn lines_are_compressed_for_those_who_ask_for_it() {
    let (shop, _) = shop().await;
    let headers = [("accept-encoding", "gzip")];
    let analyst = shop.role(Role::Analyst);
    let answer = shop.get_with("/v1/events", Some(&analyst), &headers).await.expect(200);
    assert_eq!(answer.header("content-encoding"), "gzip");
    let plain = shop.get("/v1/events", Some(&analyst)).await.expect(200);
    assert!(answer.body.len() * 2 < plain.body.len(), "{} of {}", answer.body.len(), plain.body.len());
}

#[tokio::test]
async fn server_sent_events_go_on_with_what_happens_later_and_miss_nothing_after_a_break() {
    let (shop, _) = shop().await;
    let analyst = shop.role(Role::Analyst);
    let before = log(&shop).await;
    let mut sent = shop.follow("/v1/events", Some(&analyst), &[]).await;
    for raw in &before {
        assert_eq!(sent.next().await.unwrap(), (raw.position.to_string(), shown(raw)));
    }
    shop.product(1).await;
    let after = log(&shop).await;
    let (head, later) = (&after[before.len()], &after[before.len() + 1..]);
    assert_eq!(sent.next().await.unwrap().1, shown(head));
    drop(sent);

    shop.product(1).await;
    let last = head.position.to_string();
    let headers = [("last-event-id", last.as_str())];
    let mut sent = shop.follow("/v1/events?after=1", Some(&analyst), &headers).await;
    for raw in later {
        assert_eq!(sent.next().await.unwrap().1, shown(raw));
    }
    let newest = &log(&shop).await[after.len()];
    assert_eq!(sent.next().await.unwrap().1, shown(newest));
}

#[tokio::test]
async fn server_sent_events_are_filtered_and_end_at_their_end() {
    let (shop, _) = shop().await;
    let analyst = shop.role(Role::Analyst);
    let mut sent = shop.follow("/v1/events?type=StockReserved", Some(&analyst), &[]).await;
    let reserved: Vec<_> =
        log(&shop).await.into_iter().filter(|raw| raw.type_name == "StockReserved").collect();
    for raw in &reserved {
        assert_eq!(sent.next().await.unwrap().1, shown(raw));
    }
    let sku = shop.product(1).await;
    shop.order(&sku, 1).await;
    let next = sent.next().await.unwrap().1;
    assert_eq!((&next["type"], &next["stream"]), (&json!("StockReserved"), &json!(format!("stock-{sku}"))));

    let mut sent = shop.follow("/v1/events?until=2", Some(&analyst), &[]).await;
    assert_eq!(sent.next().await.unwrap().0, "1");
    assert_eq!(sent.next().await.unwrap().0, "2");
    assert_eq!(sent.next().await, None);
    let mut sent = shop.follow("/v1/events?limit=1", Some(&analyst), &[]).await;
    assert_eq!(sent.next().await.unwrap().0, "1");
    assert_eq!(sent.next().await, None);
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_with_the_server() {
    let (shop, _) = shop().await;
    let short = shop.token_for(Uuid::from_u128(1), &[Role::Analyst], Duration::from_secs(2));
    let head = shop.store.head().await.unwrap().position;
    let path = format!("/v1/events?after={head}");
    let mut expiring = shop.follow(&path, Some(&short), &[]).await;
    assert_eq!(expiring.next().await, None);
    let mut sent = shop.follow(&path, Some(&shop.role(Role::Analyst)), &[]).await;
    shop.shutdown.cancel();
    assert_eq!(sent.next().await, None);
}

#[tokio::test]
async fn no_more_streams_are_open_than_allowed() {
    let shop = Shop::open_with(Config { analysts_max: 1, ..Config::default() }).await;
    shop.product(1).await;
    let analyst = shop.role(Role::Analyst);
    let sent = shop.follow("/v1/events", Some(&analyst), &[]).await;
    let refused = shop.get("/v1/events", Some(&analyst)).await.expect(503);
    assert_eq!(refused.code(), "too-many-streams");
    assert_eq!(refused.header("retry-after"), "5");
    drop(sent);
    shop.get("/v1/events", Some(&analyst)).await.expect(200);
}
