//! Bodies that are wrong: each gets a clear problem document, and nothing changes.

use axum::http::Method;
use serde_json::{Value, json};

use crate::shop::{Call, Shop, order_body, product};

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let shop = Shop::open().await;
    let staff = shop.staff();
    let post = |content_type: &str, body: Vec<u8>| {
        Call::new(Method::POST, "/v1/products").raw(content_type, body).bearer(&staff)
    };
    for broken in ["{", "{\"sku\": }", "sku=1", "{\"sku\": \"a\"} trailing", "\u{0}"] {
        shop.refused(post("application/json", broken.into()), 400, "malformed-json").await;
    }
    shop.refused(post("application/json", vec![b'"', 0xff, b'"']), 400, "malformed-json").await;
    shop.refused(post("application/json", vec![b'['; 100_000]), 400, "malformed-json").await;
    shop.refused(post("text/plain", b"{}".to_vec()), 415, "unsupported-media-type").await;
    let large = format!("{{\"sku\": \"{}\"}}", "x".repeat(1024 * 1024));
    shop.refused(post("application/json", large.into_bytes()), 413, "body-too-large").await;
}

#[tokio::test]
async fn unknown_missing_and_doubled_fields_are_refused_and_named() {
    let shop = Shop::open().await;
    let staff = shop.staff();
    let mut unknown = product("A");
    unknown["colour"] = json!("black");
    shop.refused(Call::post("/v1/products", unknown).bearer(&staff), 422, "invalid-body").await.at("/colour");
    let mut missing = product("A");
    missing.as_object_mut().unwrap().remove("name");
    shop.refused(Call::post("/v1/products", missing).bearer(&staff), 422, "invalid-body").await.at("/name");
    let doubled = r#"{"quantity": 1, "quantity": 2}"#;
    let doubled =
        Call::new(Method::POST, "/v1/stock/A/receipts").raw("application/json", doubled).bearer(&staff);
    shop.refused(doubled, 422, "invalid-body").await.at("/quantity");
    shop.refused(Call::post("/v1/carts", json!({"owner": "me"})), 422, "invalid-body").await.at("/owner");
    let nothing = Call::post(format!("/v1/products/{}/publish", uuid::Uuid::now_v7()), json!({"now": true}));
    shop.refused(nothing.bearer(&staff), 422, "invalid-body").await.at("/now");
    let wrong = Call::post("/v1/carts", json!({"currency": 410}));
    shop.refused(wrong, 422, "invalid-body").await;
}

#[tokio::test]
async fn quantities_that_cannot_be_are_refused() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(5).await);
    let (cart, guest) = shop.cart(&sku, 1).await;
    let item =
        |quantity: Value| Call::put(format!("/v1/carts/{cart}/items/{sku}"), json!({"quantity": quantity}));
    for quantity in [json!(0), json!(-1), json!(10_000), json!(4_294_967_296_i64), json!(i64::MIN)] {
        shop.refused(item(quantity).bearer(&guest), 422, "invalid-quantity").await.at("/quantity");
    }
    for quantity in [json!(1.5), json!("1"), json!(null), json!(1e30), json!(18_446_744_073_709_551_615_u64)]
    {
        shop.refused(item(quantity).bearer(&guest), 422, "invalid-body").await;
    }
    let stock = |what: &str, body: Value| Call::post(format!("/v1/stock/{sku}/{what}"), body).bearer(&staff);
    for quantity in [0, -5, 1_000_001] {
        shop.refused(stock("receipts", json!({"quantity": quantity})), 422, "invalid-quantity").await;
    }
    for quantity in [0, -6, i64::MIN, i64::MAX] {
        let adjustment = json!({"quantity": quantity, "reason": "test"});
        shop.refused(stock("adjustments", adjustment), 422, "invalid-quantity").await;
    }
    let level = Call::put(format!("/v1/stock/{sku}/reorder-point"), json!({"quantity": -1})).bearer(&staff);
    shop.refused(level, 422, "invalid-quantity").await;
}

#[tokio::test]
async fn amounts_that_cannot_be_are_refused() {
    let shop = Shop::open().await;
    let staff = shop.staff();
    let with = |prices: Value| {
        let mut body = product("A");
        body["prices"] = prices;
        Call::post("/v1/products", body).bearer(&staff)
    };
    for amount in [0, -1, i64::MIN] {
        let prices = json!([{"amount": amount, "currency": "KRW"}]);
        shop.refused(with(prices), 422, "invalid-amount").await.at("/prices");
    }
    for amount in [json!(1.5), json!("1"), json!(1e30), json!(9_223_372_036_854_775_808_u64)] {
        shop.refused(with(json!([{"amount": amount, "currency": "KRW"}])), 422, "invalid-body").await;
    }
    let twice = json!([{"amount": 1, "currency": "KRW"}, {"amount": 2, "currency": "KRW"}]);
    shop.refused(with(twice), 422, "invalid-amount").await;
    for currency in ["krw", "WON", "", "₩"] {
        let prices = json!([{"amount": 1, "currency": currency}]);
        shop.refused(with(prices), 422, "invalid-currency").await.at("/prices/0/currency");
        shop.refused(Call::post("/v1/carts", json!({"currency": currency})), 422, "invalid-currency").await;
    }
}

#[tokio::test]
async fn an_order_whose_total_overflows_is_refused() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), crate::given::sku());
    let mut body = product(sku.as_str());
    body["prices"] = json!([{"amount": i64::MAX, "currency": "KRW"}]);
    let id = shop.send(Call::post("/v1/products", body).bearer(&staff)).await.expect(201).text("/product_id");
    shop.send(Call::post(format!("/v1/products/{id}/publish"), json!({})).bearer(&staff)).await.expect(204);
    let receipt = Call::post(format!("/v1/stock/{sku}/receipts"), json!({"quantity": 2}));
    shop.send(receipt.bearer(&staff)).await.expect(204);
    let (cart, guest) = shop.cart(sku.as_str(), 2).await;
    shop.refused(Call::post("/v1/orders", order_body(&cart)).bearer(&guest), 422, "overflow").await;
}

#[tokio::test]
async fn currencies_do_not_mix() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(5).await);
    let cart = shop.send(Call::post("/v1/carts", json!({"currency": "USD"}))).await.expect(201);
    let (cart, guest) = (cart.text("/cart_id"), cart.text("/guest_token"));
    let item = Call::put(format!("/v1/carts/{cart}/items/{sku}"), json!({"quantity": 1})).bearer(&guest);
    shop.refused(item, 409, "no-price").await;
    let (order, _) = shop.delivered(&sku, 1).await;
    let dollars = json!({"amount": {"amount": 1, "currency": "USD"}, "reason": "goodwill"});
    let refund = Call::post(format!("/v1/orders/{order}/refunds"), dollars).bearer(&staff);
    shop.refused(refund, 422, "currency-mismatch").await.at("/amount/currency");
    let much = json!({"amount": {"amount": 60_001, "currency": "KRW"}, "reason": "goodwill"});
    let refund = Call::post(format!("/v1/orders/{order}/refunds"), much).bearer(&staff);
    shop.refused(refund, 409, "refund-too-high").await.at("/amount");
    let negative = json!({"amount": {"amount": -1, "currency": "KRW"}, "reason": "goodwill"});
    let refund = Call::post(format!("/v1/orders/{order}/refunds"), negative).bearer(&staff);
    shop.refused(refund, 422, "invalid-amount").await;
}

#[tokio::test]
async fn there_is_no_such_call() {
    let shop = Shop::open().await;
    shop.refused(Call::post("/v1/nothing", json!({})), 404, "not-found").await;
    shop.refused(Call::new(Method::GET, "/v1/orders"), 405, "method-not-allowed").await;
}
