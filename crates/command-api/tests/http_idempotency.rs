//! Sent again, a request is answered as the first time, and done once.

use axum::http::Method;
use serde_json::json;
use uuid::Uuid;

use crate::given::stock_in_log;
use crate::shop::{Call, Shop, order_body, product};

#[tokio::test]
async fn the_same_key_and_body_is_done_once_and_answered_alike() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(0).await);
    let key = Uuid::now_v7().to_string();
    let receive =
        || Call::post(format!("/v1/stock/{sku}/receipts"), json!({"quantity": 3})).bearer(&staff).key(&key);
    let first = shop.send(receive()).await.expect(204);
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = shop.send(receive()).await.expect(204);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.token(), first.token());
    assert_eq!(stock_in_log(&shop.store, &sku.parse().unwrap()).await.on_hand(), 3);
    let spaced = Call::new(Method::POST, format!("/v1/stock/{sku}/receipts"))
        .raw("application/json", "{ \"quantity\" : 3 }")
        .bearer(&staff)
        .key(&key);
    assert_eq!(shop.send(spaced).await.expect(204).header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(0).await);
    let receive = |quantity: u32| {
        Call::post(format!("/v1/stock/{sku}/receipts"), json!({"quantity": quantity}))
            .bearer(&staff)
            .key("receipt-1")
    };
    shop.send(receive(3)).await.expect(204);
    shop.refused(receive(4), 422, "idempotency-key-reused").await;
    let other = shop.staff();
    let same_key_of_another = receive(4).bearer(&other);
    shop.send(same_key_of_another).await.expect(204);
}

#[tokio::test]
async fn a_malformed_key_is_refused() {
    let shop = Shop::open().await;
    for key in ["", "a b", &"x".repeat(256)] {
        shop.refused(Call::post("/v1/carts", json!({})).key(key), 400, "invalid-header").await;
    }
    let tag = Call::post("/v1/carts", json!({})).header("if-match", "v3");
    shop.refused(tag, 400, "invalid-header").await;
}

#[tokio::test]
async fn without_a_token_a_key_must_be_one_that_nobody_can_guess() {
    let shop = Shop::open().await;
    let derived = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"1").to_string();
    for key in ["1", "cart-1", &derived, "00000000-0000-0000-0000-000000000000"] {
        let open = || Call::post("/v1/carts", json!({})).key(key);
        let answer = shop.refused(open(), 400, "invalid-header").await;
        assert!(answer.text("/detail").contains("random UUID"), "{answer:#?}");
        let person = json!({"email": "haneul@example.com", "password": "correct horse", "name": "김하늘"});
        shop.refused(Call::post("/v1/customers", person).key(key), 400, "invalid-header").await;
        // With a token it is the caller's own, whatever it is.
        for token in [shop.staff(), shop.customer().await] {
            shop.send(open().bearer(&token)).await.expect(201);
        }
    }
    for key in [Uuid::new_v4(), Uuid::now_v7()] {
        shop.send(Call::post("/v1/carts", json!({})).key(&key.to_string())).await.expect(201);
    }
}

#[tokio::test]
async fn guests_do_not_share_their_keys() {
    let shop = Shop::open().await;
    let mut carts = std::collections::HashSet::new();
    for _ in 0..2 {
        let guest = shop.send(Call::post("/v1/carts", json!({}))).await.expect(201).text("/guest_token");
        let another = || Call::post("/v1/carts", json!({})).bearer(&guest).key("1");
        let cart = shop.send(another()).await.expect(201).text("/cart_id");
        assert_eq!(shop.send(another()).await.expect(201).text("/cart_id"), cart);
        carts.insert(cart);
    }
    assert_eq!(carts.len(), 2);
}

#[tokio::test]
async fn a_new_order_has_no_version_to_match() {
    let shop = Shop::open().await;
    let sku = shop.product(1).await;
    let (cart, guest) = shop.cart(&sku, 1).await;
    let order = Call::post("/v1/orders", order_body(&cart)).bearer(&guest).header("if-match", "\"v7\"");
    shop.send(order).await.expect(201);
}

#[tokio::test]
async fn an_order_sent_twice_is_one_order_and_says_how_far_it_is() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let (cart, guest) = shop.cart(&sku, 2).await;
    let key = Uuid::now_v7().to_string();
    let order = || Call::post("/v1/orders", order_body(&cart)).bearer(&guest).key(&key);
    let first = shop.send(order()).await.expect(201);
    let id = first.text("/order_id");
    shop.settle(id.parse().unwrap(), true).await;
    let again = shop.send(order()).await.expect(201);
    assert_eq!(again.text("/order_id"), id);
    assert_eq!(again.text("/status"), "confirmed", "the status is today's");
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert!(again.token().position > first.token().position);
    assert_eq!(stock_in_log(&shop.store, &sku.parse().unwrap()).await.reserved(), 2);
}

#[tokio::test]
async fn a_guests_token_is_answered_again_and_kept_nowhere() {
    let shop = Shop::open().await;
    let key = Uuid::new_v4().to_string();
    let open = || Call::post("/v1/carts", json!({"currency": "KRW"})).key(&key);
    let first = shop.send(open()).await.expect(201);
    let again = shop.send(open()).await.expect(201);
    assert_eq!(again.text("/cart_id"), first.text("/cart_id"));
    let sku = shop.product(1).await;
    let item = Call::put(format!("/v1/carts/{}/items/{sku}", first.text("/cart_id")), json!({"quantity": 1}));
    shop.send(item.bearer(&again.text("/guest_token"))).await.expect(204);
    let kept: Vec<String> = sqlx::query_scalar("SELECT answer::text FROM log.commands")
        .fetch_all(shop.store.pool())
        .await
        .unwrap();
    assert!(kept.iter().any(|answer| answer.contains(&first.text("/cart_id"))), "{kept:?}");
    assert!(!kept.iter().any(|answer| answer.contains("guest_token")), "{kept:?}");
}

#[tokio::test]
async fn if_match_is_honoured() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), crate::given::sku());
    let created =
        shop.send(Call::post("/v1/products", product(sku.as_str())).bearer(&staff)).await.expect(201);
    let change = |tag: &str| {
        let path = format!("/v1/products/{}", created.text("/product_id"));
        Call::patch(path, json!({"brand": "Jumun"})).bearer(&staff).header("if-match", tag)
    };
    shop.refused(change("\"v7\""), 412, "stale").await;
    let tag = created.header("etag").unwrap();
    assert_eq!(shop.send(change(tag)).await.expect(204).header("etag"), Some("\"v2\""));
    shop.refused(change(tag), 412, "stale").await;
    shop.send(change("*")).await.expect(204);
}
