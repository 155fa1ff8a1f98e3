//! `GET /v1/audit/orders/{id}`: the whole history of an order, with a proof that anybody can check.

use std::collections::BTreeMap;

use command_api::engine::Submission;
use domain::{Command, Currency, Money, StreamId, checkout};
use event_store::{Filter, Position};
use http_surface::auth::Role;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::given::{CANARY, Placed};
use crate::shop::Shop;

/// Canonical JSON as docs/auditors.md describes it, written anew: what the API says of itself is not believed here.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            let members: Vec<_> = sorted
                .iter()
                .map(|(name, member)| format!("{}:{}", json!(name), canonical(member)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Whether the proof follows from the events.
fn proven(audit: &Value) -> bool {
    let mut hash = sha256(&format!("jumun-audit-1\n{}", audit["order_id"].as_str().unwrap()));
    if audit["proof"]["start"] != hash {
        return false;
    }
    let events = audit["events"].as_array().unwrap();
    for event in events {
        let mut event = event.as_object().unwrap().clone();
        let stated = event.remove("hash").unwrap();
        hash = sha256(&format!("{hash}\n{}", canonical(&Value::Object(event))));
        if stated != hash {
            return false;
        }
    }
    audit["proof"]["end"] == hash && audit["proof"]["count"] == events.len()
}

async fn history(shop: &Shop, placed: &Placed) -> Value {
    let path = format!("/v1/audit/orders/{}", placed.order_id);
    shop.get(&path, Some(&shop.role(Role::Auditor))).await.expect(200).json()
}

#[tokio::test]
async fn every_event_of_an_order_is_there_and_no_other() {
    let shop = Shop::open().await;
    let sku = shop.product(9).await;
    let placed = shop.order(&sku, 2).await;
    let other = shop.order(&sku, 1).await;
    shop.pay(&placed, 23_000).await;
    shop.cancel(&other).await;
    shop.deliver(&placed, 23_000).await;
    let audit = history(&shop, &placed).await;

    let log = shop.store.read_raw(Position(0), 1_000, &Filter::default()).await.unwrap();
    let order = placed.order_id.to_string();
    let notice = log.iter().find(|raw| raw.type_name == "NotificationRequested").unwrap();
    let whole = [
        StreamId::order(placed.order_id),
        StreamId::payment(placed.payment_id),
        StreamId::cart(placed.cart_id),
        notice.stream.clone(),
    ];
    let stock = StreamId::stock(&sku);
    let belongs = log.iter().filter(|raw| {
        whole.contains(&raw.stream) || (raw.stream == stock && raw.data.get().contains(&order))
    });
    let belongs: Vec<_> = belongs.map(|raw| json!(raw.event_id)).collect();
    let events = audit["events"].as_array().unwrap();
    assert_eq!(events.iter().map(|event| event["event_id"].clone()).collect::<Vec<_>>(), belongs);
    for event in events {
        assert!(event["actor"]["kind"].is_string(), "{event}");
        assert!(event["command_id"].is_string() && event["correlation_id"].is_string(), "{event}");
    }
    let of = |name: &StreamId| {
        let streams = audit["proof"]["streams"].as_array().unwrap();
        streams.iter().find(|stream| stream["stream"] == json!(name)).unwrap().clone()
    };
    for name in &whole {
        assert_eq!((&of(name)["whole"], &of(name)["contiguous"]), (&json!(true), &json!(true)), "{name}");
        let last = log.iter().filter(|raw| raw.stream == *name).count();
        assert_eq!((&of(name)["first_version"], &of(name)["last_version"]), (&json!(1), &json!(last)));
    }
    // StockReserved and StockShipped.
    assert_eq!((&of(&stock)["whole"], &of(&stock)["count"]), (&json!(false), &json!(2)));
    assert_eq!(audit["proof"]["complete"], true);
    assert_eq!(audit["log"]["position"], log.len());
    let text = audit.to_string().to_lowercase();
    assert!(!text.contains(&CANARY.to_lowercase()) && !text.contains("홍길동"), "personal data stays sealed");
}

#[tokio::test]
async fn an_event_names_the_one_it_follows_from() {
    let shop = Shop::open().await;
    let sku = shop.product(9).await;
    let placed = shop.order(&sku, 2).await;
    let payment = shop.store.read_stream(&StreamId::payment(placed.payment_id), 0).await.unwrap();
    let amount = Money::new(23_000, Currency::KRW);
    let outcome = checkout::Outcome::Authorised { gateway_reference: "sandbox-1".to_owned(), amount };
    let settle = checkout::Command::SettlePayment { payment_id: placed.payment_id, outcome, capture: None };
    let settle =
        Submission::internal(Command::Checkout(settle), "settle", "payment-process", Some(&payment[0]));
    shop.engine.execute(settle).await.unwrap();
    let audit = history(&shop, &placed).await;
    let find =
        |name: &str| audit["events"].as_array().unwrap().iter().find(|event| event["type"] == name).unwrap();
    let (requested, confirmed) = (find("PaymentRequested"), find("OrderConfirmed"));
    assert_eq!(confirmed["causation_id"], requested["event_id"]);
    assert_eq!(confirmed["correlation_id"], requested["correlation_id"]);
    assert_eq!(confirmed["actor"], json!({"kind": "system", "id": "payment-process"}));
}

#[tokio::test]
async fn the_proof_can_be_worked_out_by_anybody_and_shows_every_change() {
    let shop = Shop::open().await;
    let sku = shop.product(9).await;
    let placed = shop.order(&sku, 2).await;
    shop.pay(&placed, 23_000).await;
    let audit = history(&shop, &placed).await;
    assert!(proven(&audit));

    let changes: [fn(&mut Vec<Value>); 5] = [
        |events| events[1]["data"] = json!({}),
        |events| events[2]["recorded_at"] = json!("2020-01-01T00:00:00Z"),
        |events| events.swap(1, 2),
        |events| drop(events.remove(0)),
        |events| drop(events.pop()),
    ];
    for change in changes {
        let mut changed = audit.clone();
        change(changed["events"].as_array_mut().unwrap());
        assert!(!proven(&changed), "a change was not noticed");
    }
    let mut another = audit.clone();
    another["order_id"] = json!(uuid::Uuid::now_v7());
    assert!(!proven(&another), "it would pass as another order's");
}

#[tokio::test]
async fn what_was_proven_once_stays_the_beginning_of_every_later_proof() {
    let shop = Shop::open().await;
    let sku = shop.product(9).await;
    let placed = shop.order(&sku, 2).await;
    let early = history(&shop, &placed).await;
    shop.pay(&placed, 23_000).await;
    shop.deliver(&placed, 23_000).await;
    let late = history(&shop, &placed).await;
    let count = early["events"].as_array().unwrap().len();
    assert_eq!(late["events"].as_array().unwrap()[..count], early["events"].as_array().unwrap()[..]);
    assert_eq!(late["events"][count - 1]["hash"], early["proof"]["end"]);
    assert_ne!(late["proof"]["end"], early["proof"]["end"]);
}

#[tokio::test]
async fn an_order_that_never_was_has_no_history() {
    let shop = Shop::open().await;
    let path = format!("/v1/audit/orders/{}", uuid::Uuid::now_v7());
    shop.get(&path, Some(&shop.role(Role::Auditor))).await.expect(404);
}
