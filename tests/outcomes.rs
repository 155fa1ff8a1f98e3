//! Every outcome that a gateway can have, and the time that runs out.

use serde_json::Value;

use crate::shop::Shop;

/// How often the gateway has really charged or held money for a payment.
fn holds(ledger: &Value, payment: &str) -> usize {
    let entries = ledger["entries"].as_array().unwrap_or_else(|| panic!("no entries in {ledger:#}"));
    entries.iter().filter(|entry| entry["payment_id"] == payment && entry["kind"] == "authorised").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_gateway_does_an_order_is_paid_once_or_not_at_all() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 15_000, 20).await;
    let approved =
        ["approve", "slow", "timeout_after_charge", "webhook_late", "webhook_twice", "webhook_reordered"];
    for token in approved.into_iter().chain(["decline"]) {
        let (cart, guest) = shop.guest_cart(&sku, 1).await;
        let order = shop.order(&cart, &guest, token, 0).await.expect(201).text("/order_id");
        let wanted = if token == "decline" { "payment_failed" } else { "confirmed" };
        shop.wait_for_status(&order, &guest, wanted).await;
        let payment = shop.get(&format!("/v1/orders/{order}/payment"), Some(&staff), None).await.expect(200);
        let expected = usize::from(token != "decline");
        assert_eq!(holds(&shop.ledger().await, &payment.text("/payment_id")), expected, "{token}");
    }
    let stock = shop.get(&format!("/v1/stock/{sku}"), None, None).await.expect(200);
    assert_eq!(stock.body["available"], 20 - approved.len(), "a declined order gives its piece back");
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}

#[tokio::test]
async fn what_is_not_paid_in_time_is_released() {
    let shop =
        Shop::open_with(&[("JUMUN_RESERVATION_SECONDS", "1"), ("JUMUN_SANDBOX_LATE_MILLIS", "20000")]).await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 15_000, 1).await;
    let (cart, guest) = shop.guest_cart(&sku, 1).await;
    let order = shop.order(&cart, &guest, "webhook_late", 0).await.expect(201).text("/order_id");
    shop.wait_for_status(&order, &guest, "payment_failed").await;
    let (cart, other) = shop.guest_cart(&sku, 1).await;
    let placed = shop.order(&cart, &other, "approve", 10).await.expect(201);
    assert_eq!(placed.text("/status"), "confirmed", "the piece is for sale again");
    shop.close().await;
}
