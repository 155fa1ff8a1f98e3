//! Every call answers what happened, to whom it may.

use domain::stock::Action;
use http_surface::auth::Role;
use serde_json::{Value, json};

use crate::shop::Shop;

#[tokio::test]
async fn an_order_is_shown_with_its_way_and_its_payment() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let placed = shop.order(&sku, 2).await;
    shop.pay(&placed, 23_000).await;
    shop.deliver(&placed, 23_000).await;
    let (guest, staff) = (shop.guest(placed.cart_id), shop.role(Role::Staff));
    let path = format!("/v1/orders/{}", placed.order_id);

    for token in [&guest, &staff] {
        let order = shop.get(&path, Some(token)).await.expect(200).json();
        assert_eq!(order["status"], "delivered");
        assert_eq!(order["total"], json!({"amount": 23_000, "currency": "KRW"}));
        assert_eq!(order["shipping_fee"]["amount"], 3_000);
        assert_eq!(order["lines"][0]["sku"], json!(sku));
        assert_eq!(order["contact"]["name"], "홍길동 Canary");
    }
    let way = shop.get(&format!("{path}/tracking"), Some(&guest)).await.expect(200).json();
    let steps: Vec<_> = way["steps"].as_array().unwrap().iter().map(|step| step["status"].clone()).collect();
    assert_eq!(steps, ["pending_payment", "confirmed", "shipped", "delivered"]);
    assert_eq!(way["shipments"][0]["tracking_number"], "123");
    let payment = shop.get(&format!("{path}/payment"), Some(&staff)).await.expect(200).json();
    assert_eq!(payment["order_id"], json!(placed.order_id));
    assert_eq!(payment["captured"]["amount"], 23_000);
    let list = shop.get("/v1/orders", Some(&guest)).await.expect(200).json();
    assert_eq!(list["items"][0]["order_id"], json!(placed.order_id));
    assert_eq!(list["next_cursor"], json!(null));
}

#[tokio::test]
async fn a_cart_is_shown_with_what_it_comes_to() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let cart_id = shop.guest_cart(&sku, 3).await;
    let cart = shop.get(&format!("/v1/carts/{cart_id}"), Some(&shop.guest(cart_id))).await.expect(200);
    assert_eq!(cart.header("etag"), "\"v2\"");
    let cart = cart.json();
    assert_eq!(cart["cart_id"], json!(cart_id));
    assert_eq!(cart["items"][0]["sku"], json!(sku));
    assert_eq!(cart["items"][0]["quantity"], 3);
    assert!(cart.to_string().contains("30000"), "{cart:#}");
}

#[tokio::test]
async fn a_customer_is_shown_to_themselves() {
    let shop = Shop::open().await;
    let customer_id = shop.customer().await;
    let me = shop.get("/v1/customers/me", Some(&shop.customer_token(customer_id))).await.expect(200);
    assert_eq!(me.header("cache-control"), "private, no-cache");
    let me = me.json();
    assert_eq!(me["customer_id"], json!(customer_id));
    assert_eq!(me["email"], format!("canary-{customer_id}@example.com"));
}

#[tokio::test]
async fn stock_is_shown_to_everybody() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    shop.order(&sku, 2).await;
    let stock = shop.get(&format!("/v1/stock/{sku}"), None).await.expect(200).json();
    assert_eq!(
        (&stock["on_hand"], &stock["reserved"], &stock["available"]),
        (&json!(5), &json!(2), &json!(3))
    );
    shop.get("/v1/stock/NONE", None).await.expect(404);
    shop.get("/v1/stock/NONE/live", None).await.expect(404);
}

#[tokio::test]
async fn alerts_are_listed_while_they_are_open_and_afterwards_on_request() {
    let shop = Shop::open().await;
    let (staff, mut skus) = (shop.role(Role::Staff), Vec::new());
    for _ in 0..3 {
        let sku = shop.product(5).await;
        shop.stock(&sku, Action::SetReorderPoint { quantity: 4 }).await;
        shop.order(&sku, 2).await;
        skus.push(json!(sku));
    }
    let listed = async |path: &str| {
        let page = shop.get(path, Some(&staff)).await.expect(200).json();
        let items = page["items"].as_array().unwrap().iter().map(|alert| alert["sku"].clone());
        let mut items: Vec<_> = items.collect();
        items.sort_by_key(ToString::to_string);
        (items, page["next_cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(listed("/v1/replenishment-alerts").await, (skus.clone(), None));
    let sku = serde_json::from_value(skus[0].clone()).unwrap();
    shop.stock(&sku, Action::Receive { quantity: 50, reason: "supplier".to_owned() }).await;
    assert_eq!(listed("/v1/replenishment-alerts").await.0, skus[1..]);
    assert_eq!(listed("/v1/replenishment-alerts?all=true").await.0, skus);
    let (mut all, mut path) = (Vec::new(), "/v1/replenishment-alerts?all=true&limit=1".to_owned());
    loop {
        let (items, next) = listed(&path).await;
        assert_eq!(items.len(), 1);
        all.extend(items);
        let Some(next) = next else { break };
        path = format!("/v1/replenishment-alerts?all=true&limit=1&cursor={next}");
    }
    all.sort_by_key(ToString::to_string);
    assert_eq!(all, skus);
}

#[tokio::test]
async fn the_document_describes_every_call_and_its_refusals() {
    let shop = Shop::open().await;
    let paths = shop.document["paths"].as_object().unwrap();
    for path in [
        "/v1/carts/{id}",
        "/v1/orders",
        "/v1/orders/{id}",
        "/v1/orders/{id}/tracking",
        "/v1/orders/{id}/payment",
        "/v1/customers/me",
        "/v1/products",
        "/v1/products/{id}",
        "/v1/products/{id}/recommendations",
        "/v1/search/suggest",
        "/v1/stock/{sku}",
        "/v1/stock/{sku}/live",
        "/v1/replenishment-alerts",
        "/v1/events",
        "/v1/audit/orders/{id}",
    ] {
        let call = &paths.get(path).unwrap_or_else(|| panic!("{path} is not described"))["get"];
        for status in ["200", "400", "409", "503"] {
            assert!(call["responses"].get(status).is_some(), "{path} does not describe {status}");
        }
        let public = ["/v1/stock", "/v1/products", "/v1/search"].iter().any(|begin| path.starts_with(begin));
        let needs_a_token = call["security"] == json!([{"bearer": []}]);
        assert_eq!(needs_a_token, !public, "{path}");
        assert!(public || call["responses"].get("401").is_some(), "{path}");
        let parameters = call["parameters"].as_array().unwrap();
        assert!(parameters.iter().any(|parameter| parameter["name"] == "Consistency-Token"), "{path}");
    }
}

#[tokio::test]
async fn everything_the_document_refers_to_is_in_it() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let shop = Shop::open().await;
    let mut found = Vec::new();
    references(&shop.document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(shop.document.pointer(pointer).is_some(), "{reference} is not there");
    }
}
