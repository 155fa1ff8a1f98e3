//! Stopped, killed, started again.

use futures::StreamExt;

use crate::shop::Shop;

#[tokio::test]
async fn ctrl_c_stops_cleanly_and_the_next_start_has_everything() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 5_000, 3).await;
    assert!(shop.interrupt().await.success());
    let shop = shop.restart().await;
    let stock = shop.get(&format!("/v1/stock/{sku}"), None, None).await.expect(200);
    assert_eq!(stock.body["on_hand"], 3);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_acknowledged_before_kill_9_is_there_after_it() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 5_000, 1_000).await;
    let carts: Vec<_> =
        futures::stream::iter(0..60).map(|_| shop.guest_cart(&sku, 1)).buffer_unordered(16).collect().await;
    let shop = std::sync::Arc::new(shop);
    let buyers: Vec<_> = carts
        .into_iter()
        .map(|(cart, guest)| {
            let shop = std::sync::Arc::clone(&shop);
            tokio::spawn(async move {
                let body = crate::shop::order_body(&cart, "approve");
                let call = shop
                    .http
                    .post(format!("{}/v1/orders", shop.command_url()))
                    .bearer_auth(&guest)
                    .json(&body);
                let answer = call.send().await.ok()?;
                if answer.status() != 201 {
                    return None;
                }
                let body: serde_json::Value = answer.json().await.ok()?;
                Some((body["order_id"].as_str()?.to_owned(), guest))
            })
        })
        .collect();
    let mut acknowledged = Vec::new();
    let mut buyers = buyers.into_iter();
    for buyer in buyers.by_ref().take(20) {
        acknowledged.extend(buyer.await.unwrap());
    }
    shop.kill();
    for buyer in buyers {
        acknowledged.extend(buyer.await.unwrap());
    }
    let shop = std::sync::Arc::into_inner(shop).unwrap().crash_and_restart().await;
    assert!(acknowledged.len() >= 20);
    for (order, guest) in &acknowledged {
        shop.wait_for_status(order, guest, "confirmed").await;
    }
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}
