//! `Consistency-Token`: what was written is read, or the caller is told to come again.

use std::time::Duration;

use event_store::{Head, Position};
use http_surface::ConsistencyToken;
use http_surface::auth::Role;
use query_api::Config;
use uuid::Uuid;

use crate::shop::Shop;

const QUERIES: [&str; 5] =
    ["/v1/products", "/v1/search/suggest?q=x", "/v1/orders", "/v1/replenishment-alerts", "/v1/events"];

fn somebody(shop: &Shop) -> String {
    shop.token(Uuid::from_u128(1), &[Role::Staff, Role::Analyst, Role::Auditor])
}

/// All queries, about things that exist.
async fn queries(shop: &Shop) -> Vec<String> {
    let sku = shop.product(5).await;
    let placed = shop.order(&sku, 1).await;
    let order = format!("/v1/orders/{}", placed.order_id);
    let mut queries: Vec<String> = QUERIES.iter().map(ToString::to_string).collect();
    queries.extend([format!("{order}/tracking"), format!("{order}/payment"), order]);
    queries.push(format!("/v1/carts/{}", placed.cart_id));
    queries.push(format!("/v1/audit/orders/{}", placed.order_id));
    queries.extend([format!("/v1/stock/{sku}"), format!("/v1/stock/{sku}/live")]);
    let product = format!("/v1/products/{}", shop.product_id(&sku).await);
    queries.extend([format!("{product}/recommendations"), product]);
    queries
}

#[tokio::test]
async fn a_query_with_the_token_of_a_command_shows_what_it_did() {
    let shop = Shop::open().await;
    let sku = shop.product(1_000).await;
    for pieces in 1..=20 {
        let placed = shop.order(&sku, 1).await;
        let receipt = shop.pay(&placed, 13_000).await;
        let token = ConsistencyToken::encode(receipt.head);
        let headers = [("consistency-token", token.as_str())];
        let path = format!("/v1/orders/{}", placed.order_id);
        let guest = shop.guest(placed.cart_id);
        let order = shop.get_with(&path, Some(&guest), &headers).await.expect(200).json();
        assert_eq!(order["status"], "confirmed");
        let stock = shop.get_with(&format!("/v1/stock/{sku}"), None, &headers).await.expect(200).json();
        assert_eq!(stock["reserved"], pieces);
    }
}

/// Lists are kept for a moment and given again; never to a token that they do not show.
#[tokio::test]
async fn a_list_that_was_answered_a_moment_ago_is_not_the_answer_to_a_newer_token() {
    let shop = Shop::open().await;
    let sku = shop.product(1_000).await;
    for ordered in 1..=20 {
        shop.get("/v1/products", None).await.expect(200);
        shop.order(&sku, 1).await;
        let token = shop.now().await;
        let headers = [("consistency-token", token.as_str())];
        let list = shop.get_with("/v1/products", None, &headers).await.expect(200).json();
        assert_eq!(list["items"][0]["available"], 1_000 - ordered);
        // What was kept for that token is good for it, and for whoever has none.
        let again = shop.get_with("/v1/products", None, &headers).await.expect(200).json();
        assert_eq!(again, list);
    }
}

#[tokio::test]
async fn a_token_ahead_of_the_log_is_answered_with_come_again_within_the_limit() {
    let wait = Duration::from_millis(100);
    let shop = Shop::open_with(Config { consistency_wait: wait, ..Config::default() }).await;
    let queries = queries(&shop).await;
    let head = shop.store.head().await.unwrap();
    let ahead = Head { position: Position(head.position.0 + 1), ..head };
    let token = ConsistencyToken::encode(ahead);
    for path in queries {
        let begun = std::time::Instant::now();
        let answer = shop.get_with(&path, Some(&somebody(&shop)), &[("consistency-token", &token)]).await;
        assert_eq!(answer.expect(503).code(), "not-yet-consistent", "{path}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{path} took {:?}", begun.elapsed());
        let answer = shop.get_with(&path, Some(&somebody(&shop)), &[("consistency-token", &token)]).await;
        assert_eq!(answer.header("retry-after"), "1");
    }
}

#[tokio::test]
async fn a_token_of_another_history_of_the_log_and_one_that_is_none_are_refused() {
    let shop = Shop::open().await;
    let queries = queries(&shop).await;
    let head = shop.store.head().await.unwrap();
    let other = ConsistencyToken::encode(Head { epoch: Uuid::now_v7(), ..head });
    for path in queries {
        let ask = async |token: &str| {
            shop.get_with(&path, Some(&somebody(&shop)), &[("consistency-token", token)]).await
        };
        assert_eq!(ask(&other).await.expect(409).code(), "consistency-token-epoch", "{path}");
        for token in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let answer = ask(token).await.expect(400);
            assert_eq!(answer.code(), "invalid-parameter", "{path}");
            assert!(answer.json()["detail"].as_str().unwrap().contains("Consistency-Token"), "{path}");
        }
    }
}
