//! The whole order flow, as README tells it.

use serde_json::{Value, json};

use crate::shop::Shop;

#[tokio::test]
async fn search_cart_checkout_paid_shipped_delivered_history() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;

    let found = shop
        .get("/v1/products?q=%EC%9A%B4%EB%8F%99%ED%99%94&locale=ko&currency=KRW", None, None)
        .await
        .expect(200);
    let sku = found.text("/items/0/sku");
    let part =
        shop.get("/v1/products?q=%EB%8F%99%ED%99%94&locale=ko&currency=KRW", None, None).await.expect(200);
    let skus: Vec<_> =
        part.body["items"].as_array().unwrap().iter().map(|item| item["sku"].clone()).collect();
    assert!(skus.contains(&json!(sku)), "a part of the word finds it too: {skus:?}");

    let before = shop.get(&format!("/v1/stock/{sku}"), None, None).await.expect(200).body["available"]
        .as_i64()
        .unwrap();
    let (cart, guest) = shop.guest_cart(&sku, 2).await;
    let placed = shop.order(&cart, &guest, "approve", 10).await.expect(201);
    assert_eq!(placed.text("/status"), "confirmed");
    let order = placed.text("/order_id");
    let shown =
        shop.get(&format!("/v1/orders/{order}"), Some(&guest), placed.token.as_deref()).await.expect(200);
    let lines: i64 = shown.body["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["total"]["amount"].as_i64().unwrap())
        .sum();
    let fee = shown.body["shipping_fee"]["amount"].as_i64().unwrap();
    assert_eq!(shown.body["total"]["amount"].as_i64().unwrap(), lines + fee);

    let parcel = json!({"carrier": "CJ대한통운", "tracking_number": "123456789012"});
    let shipped = shop.post(&format!("/v1/orders/{order}/shipments"), Some(&staff), parcel).await.expect(201);
    let shipment = shipped.text("/shipment_id");
    let delivered = shop
        .post(&format!("/v1/orders/{order}/shipments/{shipment}/delivered"), Some(&staff), json!({}))
        .await
        .ok();
    let token = delivered.token.as_deref();
    let tracking = shop.get(&format!("/v1/orders/{order}/tracking"), Some(&guest), token).await.expect(200);
    assert_eq!(tracking.text("/status"), "delivered");
    let stock = shop.get(&format!("/v1/stock/{sku}"), None, token).await.expect(200);
    assert_eq!(stock.body["available"].as_i64().unwrap(), before - 2);

    let auditor = shop.demo("auditor").await;
    let history = shop.get(&format!("/v1/audit/orders/{order}"), Some(&auditor), token).await.expect(200);
    let types: Vec<_> = history.body["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    for wanted in [
        "OrderPlaced",
        "StockReserved",
        "PaymentRequested",
        "PaymentAuthorised",
        "OrderConfirmed",
        "OrderShipmentSent",
        "StockShipped",
        "OrderShipmentDelivered",
    ] {
        assert!(types.contains(&wanted), "{wanted} is missing in {types:?}");
    }
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}

#[tokio::test]
async fn a_customer_registers_buys_returns_and_is_forgotten() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 60_000, 5).await;
    let canary = format!("canary{}", uuid::Uuid::new_v4().simple());
    let email = format!("{canary}@example.com");
    let person =
        json!({"email": email, "password": "correct horse battery", "name": "김하늘", "locale": "ko"});
    shop.post("/v1/customers", None, person.clone()).await.expect(201);
    shop.post("/v1/customers", None, person).await.expect(409);
    let token = shop.sign_in(&email, "correct horse battery").await;

    let cart =
        shop.post("/v1/carts", Some(&token), json!({"currency": "KRW"})).await.expect(201).text("/cart_id");
    let item = format!("/v1/carts/{cart}/items/{sku}");
    shop.command(reqwest::Method::PUT, &item, Some(&token), json!({"quantity": 2})).await.ok();
    let placed = shop.order(&cart, &token, "approve", 10).await.expect(201);
    let order = placed.text("/order_id");
    let parcel = json!({"carrier": "CJ", "tracking_number": "1"});
    let shipment = shop
        .post(&format!("/v1/orders/{order}/shipments"), Some(&staff), parcel)
        .await
        .expect(201)
        .text("/shipment_id");
    shop.post(&format!("/v1/orders/{order}/shipments/{shipment}/delivered"), Some(&staff), json!({}))
        .await
        .ok();
    let wanted = json!({"reason": "too small", "lines": [{"sku": sku, "quantity": 1}]});
    let asked = shop.post(&format!("/v1/orders/{order}/returns"), Some(&token), wanted).await.expect(201);
    let id = asked.text("/return_id");
    let received = json!({"reason": "as new"});
    shop.post(&format!("/v1/orders/{order}/returns/{id}/received"), Some(&staff), received).await.ok();
    let shown = shop.wait_for_status(&order, &token, "partially_refunded").await;
    assert_eq!(shown.body["refunded"]["amount"], json!(60_000), "{:#}", shown.body);

    let gone =
        shop.command(reqwest::Method::DELETE, "/v1/customers/me", Some(&token), Value::Null).await.ok();
    let shown =
        shop.get(&format!("/v1/orders/{order}"), Some(&staff), gone.token.as_deref()).await.expect(200);
    assert_eq!(shown.text("/status"), "partially_refunded", "the order's history stays whole");
    assert!(!shown.body.to_string().contains(&canary), "{:#}", shown.body);
    shop.post("/v1/sessions", None, json!({"email": email, "password": "correct horse battery"}))
        .await
        .expect(401);
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}
