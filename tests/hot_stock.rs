//! One SKU that everybody wants.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;

use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread")]
async fn of_2000_buyers_exactly_500_get_the_500_pieces() {
    let shop = Arc::new(Shop::open().await);
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 10_000, 500).await;
    let mut carts = Vec::new();
    for _ in 0..20 {
        carts.extend(join_all((0..100).map(|_| shop.guest_cart(&sku, 1))).await);
    }
    let orders = join_all(carts.into_iter().map(|(cart, guest)| {
        let shop = Arc::clone(&shop);
        async move {
            let begun = Instant::now();
            let answer = shop.order(&cart, &guest, "approve", 0).await;
            (answer, begun.elapsed())
        }
    }))
    .await;
    let placed = orders.iter().filter(|(answer, _)| answer.status == 201).count();
    assert_eq!(placed, 500);
    for (answer, _) in orders.iter().filter(|(answer, _)| answer.status != 201) {
        assert_eq!(answer.status, 409, "{answer:#?}");
        assert_eq!(answer.text("/code"), "out-of-stock");
    }
    let longest = orders.iter().map(|(_, took)| *took).max().unwrap();
    println!("2,000 buyers, 500 pieces: the longest wait was {} ms", longest.as_millis());
    assert!(longest < Duration::from_secs(60), "nobody is forgotten in a queue");
    // Whose order is the last in the log is not known beforehand.
    let place = |token: &String| URL_SAFE_NO_PAD.decode(token).unwrap();
    let token = orders.iter().filter_map(|(answer, _)| answer.token.clone()).max_by_key(place);
    let stock = shop.get(&format!("/v1/stock/{sku}"), None, token.as_deref()).await.expect(200);
    assert_eq!(stock.body["available"], 0);
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");
    Arc::into_inner(shop).unwrap().close().await;
}
