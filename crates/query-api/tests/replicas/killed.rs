//! Servers that die or freeze in the middle of queries: others answer.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use domain::text::Sku;
use http_surface::auth::Role;
use query_api::Patience;

use super::stack::Stack;
use crate::shop::Shop;

const CLIENTS: u32 = 6;

/// Asks all the time until it is told to stop; every answer must be one. How many there were.
async fn ask(shop: &Shop, sku: &Sku, token: &str, stop: &AtomicBool, count: &AtomicU32) {
    let staff = shop.role(Role::Staff);
    let stock = format!("/v1/stock/{sku}");
    let after = [("consistency-token", token)];
    while !stop.load(Ordering::Relaxed) {
        shop.get_with(&stock, None, &[]).await.expect(200);
        shop.get_with(&stock, None, &after).await.expect(200);
        shop.get_with("/v1/products", None, &[]).await.expect(200);
        shop.get_with("/v1/orders", Some(&staff), &after).await.expect(200);
        count.fetch_add(4, Ordering::Relaxed);
    }
}

/// Does something while many ask.
async fn while_many_ask(stack: &Stack, shop: &Shop, trouble: impl Future<Output = ()>) {
    let sku = shop.product(5).await;
    shop.order(&sku, 1).await;
    shop.get(&format!("/v1/stock/{sku}"), None).await.expect(200);
    // Whoever asks without a token may be shown what was there a moment ago.
    stack.settled().await;
    let (token, stop, count) = (shop.now().await, AtomicBool::new(false), AtomicU32::new(0));
    let clients = (0..CLIENTS).map(|_| ask(shop, &sku, &token, &stop, &count));
    let clients = futures::future::join_all(clients);
    let all = async {
        until_more(&count).await;
        trouble.await;
        until_more(&count).await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(clients, all);
}

async fn until_more(count: &AtomicU32) {
    let before = count.load(Ordering::Relaxed);
    while count.load(Ordering::Relaxed) < before + 100 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_or_frozen_fails_no_query_and_comes_back() {
    let stack = Stack::up().await;
    let shop = stack.shop(Patience::default()).await;
    while_many_ask(&stack, &shop, async {
        for _ in 0..3 {
            stack.kill("replica-2").await;
            stack.healthy("replica-2", false).await;
            stack.start("replica-2").await;
            stack.healthy("replica-2", true).await;
        }
        stack.freeze("replica-1").await;
        stack.healthy("replica-1", false).await;
        stack.thaw("replica-1").await;
        stack.healthy("replica-1", true).await;
    })
    .await;
    assert!(stack.answered("replica-2") > 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_primary_is_away_replicas_answer_with_tokens_and_without() {
    let stack = Stack::up().await;
    let shop = stack.shop(Patience::default()).await;
    while_many_ask(&stack, &shop, async {
        let both = stack.answered("replica-1") + stack.answered("replica-2");
        stack.kill("postgres").await;
        while stack.answered("replica-1") + stack.answered("replica-2") < both + 100.0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stack.start("postgres").await;
    })
    .await;
}
