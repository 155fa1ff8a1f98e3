//! `jumun verify` must be able to fail.

use sqlx::Connection;

use crate::shop::Shop;

#[tokio::test]
async fn a_row_that_was_broken_on_purpose_is_found() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 5_000, 7).await;
    let (cart, guest) = shop.guest_cart(&sku, 1).await;
    let placed = shop.order(&cart, &guest, "approve", 10).await.expect(201);
    shop.get(&format!("/v1/orders/{}", placed.text("/order_id")), Some(&guest), placed.token.as_deref())
        .await
        .expect(200);
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");

    let mut database = sqlx::PgConnection::connect(&shop.database_url).await.unwrap();
    let changed = sqlx::query("UPDATE read.stock SET on_hand = on_hand + 1 WHERE sku = $1")
        .bind(&sku)
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("stock"), "{text}");
    shop.close().await;
}
