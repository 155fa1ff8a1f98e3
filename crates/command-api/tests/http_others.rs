//! Other people's things, and tokens that do not let in.

use std::time::Duration;

use axum::http::Method;
use domain::ids::OrderId;
use http_surface::auth::{Claims, Keys, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{Call, Shop, order_body};

#[tokio::test]
async fn somebody_elses_cart_and_order_are_not_there() {
    let shop = Shop::open().await;
    let sku = shop.product(9).await;
    let (cart, _) = shop.cart(&sku, 1).await;
    let (order, _) = shop.delivered(&sku, 1).await;
    let (_, guest) = shop.cart(&sku, 1).await;
    let customer = shop.customer().await;
    for other in [&guest, &customer] {
        let item = format!("/v1/carts/{cart}/items/{sku}");
        for call in [
            Call::put(&item, json!({"quantity": 5})),
            Call::delete(&item),
            Call::post("/v1/orders", order_body(&cart)),
            Call::post(format!("/v1/orders/{order}/cancel"), json!({"reason": "mine now"})),
            Call::post(format!("/v1/orders/{order}/returns"), json!({"reason": "mine now"})),
        ] {
            shop.refused(call.bearer(other), 404, "not-found").await;
        }
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_there() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(1).await);
    let (cart, guest) = shop.cart(&sku, 1).await;
    let item =
        |sku: &str| Call::put(format!("/v1/carts/{cart}/items/{sku}"), json!({"quantity": 1})).bearer(&guest);
    shop.refused(item("NO-SUCH-SKU"), 404, "unknown-sku").await;
    shop.refused(item("%EC%8B%A0%EB%B0%9C"), 404, "unknown-sku").await;
    let (id, order) = (Uuid::now_v7(), shop.order(&sku, 1).await.0);
    for (path, body) in [
        (format!("/v1/products/{id}/publish"), json!({})),
        ("/v1/products/nonsense/publish".to_owned(), json!({})),
        (format!("/v1/orders/{id}/shipments"), json!({"carrier": "CJ", "tracking_number": "1"})),
        (format!("/v1/orders/{order}/shipments/{id}/delivered"), json!({})),
        (format!("/v1/orders/{order}/returns/{id}/received"), json!({})),
        (format!("/v1/orders/{id}/refunds"), json!({"reason": "test"})),
        ("/v1/orders/nonsense/refunds".to_owned(), json!({"reason": "test"})),
    ] {
        shop.refused(Call::post(path, body).bearer(&staff), 404, "not-found").await;
    }
    let receipt = Call::post("/v1/stock/NO-SUCH-SKU/receipts", json!({"quantity": 1}));
    shop.refused(receipt.bearer(&staff), 404, "unknown-sku").await;
}

/// Every call that is for the staff.
fn staff_calls(order: OrderId) -> Vec<Call> {
    let id = Uuid::now_v7();
    let order = format!("/v1/orders/{order}");
    let post = |path: String, body: Value| Call::post(path, body);
    vec![
        post("/v1/products".to_owned(), crate::shop::product("A")),
        Call::patch(format!("/v1/products/{id}"), json!({})),
        post(format!("/v1/products/{id}/publish"), json!({})),
        post(format!("/v1/products/{id}/unpublish"), json!({})),
        post("/v1/stock/A/receipts".to_owned(), json!({"quantity": 1})),
        post("/v1/stock/A/adjustments".to_owned(), json!({"quantity": 1, "reason": "test"})),
        Call::put("/v1/stock/A/reorder-point", json!({"quantity": 1})),
        post(format!("{order}/shipments"), json!({"carrier": "CJ", "tracking_number": "1"})),
        post(format!("{order}/shipments/{id}/delivered"), json!({})),
        post(format!("{order}/returns/{id}/received"), json!({})),
        post(format!("{order}/refunds"), json!({"reason": "test"})),
    ]
}

#[tokio::test]
async fn what_is_for_the_staff_is_for_nobody_else() {
    let shop = Shop::open().await;
    let sku = shop.product(1).await;
    let (order, guest) = shop.order(&sku, 1).await;
    let of = |role| shop.token(Uuid::now_v7(), &[role]);
    for token in [guest.clone(), of(Role::Customer), of(Role::Analyst), of(Role::Auditor)] {
        for call in staff_calls(order) {
            shop.refused(call.bearer(&token), 403, "forbidden").await;
        }
    }
    for call in staff_calls(order) {
        shop.refused(call, 401, "unauthenticated").await;
    }
    let admin = of(Role::Admin);
    shop.send(Call::post("/v1/products", crate::shop::product("A")).bearer(&admin)).await.expect(201);
}

#[tokio::test]
async fn analysts_and_auditors_buy_and_call_off_nothing() {
    let shop = Shop::open().await;
    let sku = shop.product(3).await;
    let (cart, _) = shop.cart(&sku, 1).await;
    let (order, _) = shop.order(&sku, 1).await;
    for role in [Role::Analyst, Role::Auditor] {
        let token = shop.token(Uuid::now_v7(), &[role]);
        for call in [
            Call::post("/v1/carts", json!({})),
            Call::delete(format!("/v1/carts/{cart}/items/{sku}")),
            Call::post("/v1/orders", order_body(&cart)),
            Call::post(format!("/v1/orders/{order}/cancel"), json!({"reason": "test"})),
            Call::post(format!("/v1/orders/{order}/returns"), json!({"reason": "test"})),
            Call::delete("/v1/customers/me"),
        ] {
            shop.refused(call.bearer(&token), 403, "forbidden").await;
        }
    }
}

#[tokio::test]
async fn forged_expired_and_malformed_tokens_let_nobody_in() {
    let shop = Shop::open().await;
    let sku = shop.product(1).await;
    let (cart, guest) = shop.cart(&sku, 1).await;
    let claims =
        |valid| Claims::new(cart.parse().unwrap(), vec![Role::Guest], None, Duration::from_secs(valid));
    let forged = Keys::new(&[8; 32]).unwrap().issue(&claims(600)).unwrap();
    let mut expired = claims(0);
    expired.exp -= 60;
    let expired = shop.keys.issue(&expired).unwrap();
    let (changed, _) = guest.rsplit_once('.').unwrap();
    let changed = format!("{changed}.AAAA");
    for token in [forged.as_str(), &expired, &changed, "", "nonsense"] {
        let order = || Call::post("/v1/orders", order_body(&cart));
        let answer = shop.refused(order().bearer(token), 401, "unauthenticated").await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        // Not even where no token is needed.
        shop.refused(Call::post("/v1/carts", json!({})).bearer(token), 401, "unauthenticated").await;
    }
    let basic = Call::post("/v1/carts", json!({})).header("authorization", "Basic YTpi");
    shop.refused(basic, 401, "unauthenticated").await;
    shop.refused(Call::new(Method::DELETE, "/v1/sessions/current"), 401, "unauthenticated").await;
    shop.send(Call::post("/v1/orders", order_body(&cart)).bearer(&guest)).await.expect(201);
}

#[tokio::test]
async fn a_cart_is_bought_once_and_not_without_stock() {
    let shop = Shop::open().await;
    let sku = shop.product(2).await;
    let (cart, guest) = shop.cart(&sku, 2).await;
    let (late, other) = shop.cart(&sku, 1).await;
    shop.send(Call::post("/v1/orders", order_body(&cart)).bearer(&guest)).await.expect(201);
    shop.refused(Call::post("/v1/orders", order_body(&cart)).bearer(&guest), 409, "cart-closed").await;
    shop.refused(Call::post("/v1/orders", order_body(&late)).bearer(&other), 409, "out-of-stock").await;
    shop.send(Call::delete(format!("/v1/carts/{late}/items/{sku}")).bearer(&other)).await.expect(204);
    shop.refused(Call::post("/v1/orders", order_body(&late)).bearer(&other), 409, "cart-empty").await;
}
