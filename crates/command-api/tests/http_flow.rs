//! Every call, as it is meant to go.

use serde_json::json;

use crate::given::{sku, stock_in_log};
use crate::shop::{Call, Shop, order_body, product};

#[tokio::test]
async fn a_product_is_added_changed_published_and_withdrawn() {
    let (shop, sku) = (Shop::open().await, sku());
    let staff = shop.staff();
    let created =
        shop.send(Call::post("/v1/products", product(sku.as_str())).bearer(&staff)).await.expect(201);
    let id = created.text("/product_id");
    assert_eq!(created.header("location"), Some(format!("/v1/products/{id}").as_str()));
    assert_eq!(created.header("etag"), Some("\"v1\""));
    assert_eq!(created.token(), shop.head().await);
    let change =
        json!({"name": {"ko": "새 이름"}, "prices": [{"amount": 1, "currency": "JPY"}], "brand": "Jumun"});
    let changed =
        shop.send(Call::patch(format!("/v1/products/{id}"), change).bearer(&staff)).await.expect(204);
    assert_eq!(changed.header("etag"), Some("\"v2\""));
    shop.send(Call::post(format!("/v1/products/{id}/publish"), json!({})).bearer(&staff)).await.expect(204);
    let withdrawn = Call::new(axum::http::Method::POST, format!("/v1/products/{id}/unpublish"));
    let withdrawn = shop.send(withdrawn.bearer(&staff)).await.expect(204);
    assert_eq!(
        withdrawn.header("etag"),
        Some("\"v4\""),
        "no body at all is fine where nothing is to be said"
    );
}

#[tokio::test]
async fn stock_comes_in_is_corrected_and_watched() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(5).await);
    let path = |what: &str| format!("/v1/stock/{sku}/{what}");
    let damaged = json!({"quantity": -2, "reason": "damaged"});
    shop.send(Call::post(path("adjustments"), damaged).bearer(&staff)).await.expect(204);
    let receipt = json!({"quantity": 7, "reason": "supplier delivery"});
    shop.send(Call::post(path("receipts"), receipt).bearer(&staff)).await.expect(204);
    shop.send(Call::put(path("reorder-point"), json!({"quantity": 3})).bearer(&staff)).await.expect(204);
    let stock = stock_in_log(&shop.store, &sku.parse().unwrap()).await;
    assert_eq!((stock.on_hand(), stock.reorder_point()), (10, 3));
}

#[tokio::test]
async fn a_guest_fills_a_cart_and_orders() {
    let shop = Shop::open().await;
    let (sku, other) = (shop.product(5).await, shop.product(5).await);
    let (cart, guest) = shop.cart(&sku, 2).await;
    let item = |sku: &str| format!("/v1/carts/{cart}/items/{sku}");
    shop.send(Call::put(item(&other), json!({"quantity": 1})).bearer(&guest)).await.expect(204);
    shop.send(Call::delete(item(&other)).bearer(&guest)).await.expect(204);
    let placed = shop.send(Call::post("/v1/orders", order_body(&cart)).bearer(&guest)).await.expect(201);
    let id = placed.text("/order_id");
    assert_eq!(placed.text("/status"), "pending_payment");
    assert_eq!(placed.header("location"), Some(format!("/v1/orders/{id}").as_str()));
    assert_eq!(placed.token(), shop.head().await);
    assert_eq!(placed.header("preference-applied"), None);
    assert_eq!(stock_in_log(&shop.store, &sku.parse().unwrap()).await.reserved(), 2);
    assert_eq!(stock_in_log(&shop.store, &other.parse().unwrap()).await.reserved(), 0);
}

#[tokio::test]
async fn an_order_is_sent_delivered_given_back_and_refunded() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(5).await);
    let (order, guest) = shop.delivered(&sku, 3).await;
    assert_eq!(shop.status(order).await, "delivered");
    let wanted = json!({"reason": "too small", "lines": [{"sku": sku, "quantity": 1}]});
    let returns = format!("/v1/orders/{order}/returns");
    let id = shop.send(Call::post(&returns, wanted).bearer(&guest)).await.expect(201).text("/return_id");
    let received = json!({"reason": "as new"});
    shop.send(Call::post(format!("{returns}/{id}/received"), received).bearer(&staff)).await.expect(204);
    assert_eq!(shop.status(order).await, "partially_returned");
    assert_eq!(stock_in_log(&shop.store, &sku.parse().unwrap()).await.on_hand(), 3);
    let goodwill = json!({"amount": {"amount": 1_000, "currency": "KRW"}, "reason": "goodwill"});
    let refunded = shop
        .send(Call::post(format!("/v1/orders/{order}/refunds"), goodwill).bearer(&staff))
        .await
        .expect(201);
    refunded.text("/refund_id");
    let second = json!({"reason": "broken"});
    let id = shop.send(Call::post(&returns, second).bearer(&guest)).await.expect(201).text("/return_id");
    let broken = json!({"amount": {"amount": 500, "currency": "KRW"}, "restock": false});
    shop.send(Call::post(format!("{returns}/{id}/received"), broken).bearer(&staff)).await.expect(204);
    assert_eq!(
        stock_in_log(&shop.store, &sku.parse().unwrap()).await.on_hand(),
        3,
        "what is broken is not for sale"
    );
}

#[tokio::test]
async fn an_order_is_sent_in_parts() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(5).await);
    let (order, _) = shop.order(&sku, 3).await;
    shop.settle(order, true).await;
    let parcel = json!({"lines": [{"sku": sku, "quantity": 1}], "carrier": "CJ", "tracking_number": "1"});
    shop.send(Call::post(format!("/v1/orders/{order}/shipments"), parcel).bearer(&staff)).await.expect(201);
    assert_eq!(shop.status(order).await, "partially_shipped");
}

#[tokio::test]
async fn an_order_is_called_off_by_its_buyer_or_by_the_staff() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(5).await);
    for by_staff in [false, true] {
        let (order, guest) = shop.order(&sku, 2).await;
        let bearer = if by_staff { &staff } else { &guest };
        let cancel = Call::post(format!("/v1/orders/{order}/cancel"), json!({"reason": "ordered twice"}));
        shop.send(cancel.bearer(bearer)).await.expect(204);
        assert_eq!(shop.status(order).await, "cancelled");
        assert_eq!(stock_in_log(&shop.store, &sku.parse().unwrap()).await.reserved(), 0);
    }
}
