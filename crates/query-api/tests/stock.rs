//! `GET /v1/stock/{sku}/live`: stock as it changes.

use domain::stock::Action;
use query_api::Config;
use serde_json::Value;

use crate::shop::{Sent, Shop};

fn receive(quantity: u32) -> Action {
    Action::Receive { quantity, reason: "test".to_owned() }
}

async fn levels(sent: &mut Sent) -> [i64; 3] {
    let (id, stock) = sent.next().await.expect("a state");
    assert_eq!(id, stock["version"].to_string());
    ["on_hand", "reserved", "available"].map(|level| stock[level].as_i64().unwrap())
}

#[tokio::test]
async fn who_watches_sees_what_is_there_and_every_change() {
    let shop = Shop::open().await;
    let (sku, other) = (shop.product(5).await, shop.product(5).await);
    let path = format!("/v1/stock/{sku}/live");
    let mut one = shop.follow(&path, None, &[]).await;
    assert_eq!(levels(&mut one).await, [5, 0, 5]);
    // What happens to others is not told.
    shop.stock(&other, receive(7)).await;
    shop.order(&sku, 2).await;
    assert_eq!(levels(&mut one).await, [5, 2, 3]);
    let mut two = shop.follow(&path, None, &[]).await;
    assert_eq!(levels(&mut two).await, [5, 2, 3]);
    shop.stock(&sku, receive(10)).await;
    for sent in [&mut one, &mut two] {
        assert_eq!(levels(sent).await, [15, 2, 13]);
    }
    drop(one);
    shop.stock(&sku, Action::Adjust { delta: -1, reason: "count".to_owned() }).await;
    assert_eq!(levels(&mut two).await, [14, 2, 12]);
}

#[tokio::test]
async fn changes_that_race_with_the_beginning_are_never_missed() {
    let shop = Shop::open().await;
    let sku = shop.product(1).await;
    let path = format!("/v1/stock/{sku}/live");
    for round in 2..30 {
        let (mut sent, _) = tokio::join!(shop.follow(&path, None, &[]), shop.stock(&sku, receive(1)));
        let mut seen = Value::Null;
        while seen["on_hand"] != round {
            seen = sent.next().await.expect("a state").1;
            assert!(seen["on_hand"].as_i64().unwrap() <= round);
        }
    }
}

#[tokio::test]
async fn a_server_that_stops_ends_the_stream() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let mut sent = shop.follow(&format!("/v1/stock/{sku}/live"), None, &[]).await;
    levels(&mut sent).await;
    shop.shutdown.cancel();
    assert_eq!(sent.next().await, None);
}

#[tokio::test]
async fn no_more_watch_than_allowed_and_a_place_that_was_left_is_free() {
    let shop = Shop::open_with(Config { streams_max: 1, ..Config::default() }).await;
    let sku = shop.product(5).await;
    let path = format!("/v1/stock/{sku}/live");
    let sent = shop.follow(&path, None, &[]).await;
    assert_eq!(shop.get(&path, None).await.expect(503).code(), "too-many-streams");
    drop(sent);
    levels(&mut shop.follow(&path, None, &[]).await).await;
}
