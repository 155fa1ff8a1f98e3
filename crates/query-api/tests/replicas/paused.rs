//! Replicas that stand still: nothing older than its token is answered, and nobody waits for ever.

use std::time::{Duration, Instant};

use domain::stock::Action;
use domain::text::Sku;
use http_surface::ConsistencyToken;
use query_api::Patience;

use super::stack::Stack;
use crate::shop::Shop;

const CLIENTS: u32 = 4;
const PAIRS_EACH: u32 = 250;

/// Something is written, and what the next query shows.
async fn pair(shop: &Shop, sku: &Sku, pieces: u32) {
    let receipt = shop.stock(sku, Action::Receive { quantity: 1, reason: "test".to_owned() }).await;
    let token = ConsistencyToken::encode(receipt.head);
    let path = format!("/v1/stock/{sku}");
    let stock = shop.get_with(&path, None, &[("consistency-token", &token)]).await.expect(200).json();
    assert_eq!(stock["on_hand"], pieces, "older than its token");
}

async fn client(shop: &Shop) {
    let sku = shop.product(1).await;
    for pieces in 2..PAIRS_EACH + 2 {
        pair(shop, &sku, pieces).await;
    }
}

async fn now_and_then(stack: &Stack) {
    loop {
        stack.pause(1).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        stack.resume(1).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_times_what_was_written_is_read_at_once_while_a_replica_is_paused_now_and_then() {
    let stack = Stack::up().await;
    let shop = stack.shop(Patience::default()).await;
    let before = [stack.answered("replica-1"), stack.answered("replica-2")];
    let clients = futures::future::join_all((0..CLIENTS).map(|_| client(&shop)));
    tokio::select! {
        _ = clients => {}
        () = now_and_then(&stack) => {}
    }
    stack.resume(1).await;
    assert!(stack.answered("replica-1") > before[0], "replica-1 has answered nothing");
    assert!(stack.answered("replica-2") > before[1], "replica-2 has answered nothing");
}

#[tokio::test]
async fn while_all_replicas_are_paused_a_token_is_answered_by_the_primary_before_long() {
    let stack = Stack::up().await;
    let shop = stack.shop(Patience::default()).await;
    let sku = shop.product(1).await;
    stack.pause(1).await;
    stack.pause(2).await;
    let begun = Instant::now();
    pair(&shop, &sku, 2).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
    stack.resume(1).await;
    stack.resume(2).await;
}

#[tokio::test]
async fn who_watches_stock_is_told_of_every_change_whichever_replica_shows_it() {
    let stack = Stack::up().await;
    let shop = stack.shop(Patience::default()).await;
    let sku = shop.product(1).await;
    let mut sent = shop.follow(&format!("/v1/stock/{sku}/live"), None, &[]).await;
    stack.pause(1).await;
    for pieces in 1..=10 {
        while sent.next().await.unwrap().1["on_hand"] != pieces {}
        pair(&shop, &sku, pieces + 1).await;
    }
    stack.resume(1).await;
}
