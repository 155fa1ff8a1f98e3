//! A card number never enters the system.

use serde_json::json;

use crate::shop::{Call, Shop, order_body, product};

const CARD: &str = "4111 1111 1111 1111";

#[tokio::test]
async fn a_card_number_is_refused_wherever_it_is_and_never_repeated() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(5).await);
    let (cart, guest) = shop.cart(&sku, 1).await;
    let mut token = order_body(&cart);
    token["payment"]["token"] = json!(CARD.replace(' ', ""));
    let mut line = order_body(&cart);
    line["shipping_address"]["line2"] = json!(format!("카드 {CARD}"));
    let mut unknown = order_body(&cart);
    unknown["note"] = json!(CARD.replace(' ', "-"));
    for (body, pointer) in [(token, "/payment/token"), (line, "/shipping_address/line2"), (unknown, "/note")]
    {
        let answer =
            shop.refused(Call::post("/v1/orders", body).bearer(&guest), 422, "card-number").await.at(pointer);
        assert!(!answer.body.to_string().contains("1111"), "{answer:#?}");
    }
    let cancel = Call::post(format!("/v1/orders/{}/cancel", uuid::Uuid::now_v7()), json!({"reason": CARD}));
    shop.refused(cancel.bearer(&guest), 422, "card-number").await.at("/reason");
    let mut described = product("A");
    described["description"] = json!({ "ko": CARD });
    shop.refused(Call::post("/v1/products", described).bearer(&staff), 422, "card-number")
        .await
        .at("/description/ko");
}

#[tokio::test]
async fn long_numbers_of_other_kinds_pass() {
    let shop = Shop::open().await;
    let (staff, sku) = (shop.staff(), shop.product(5).await);
    let (order, _) = shop.order(&sku, 1).await;
    shop.settle(order, true).await;
    let parcel = json!({"carrier": "CJ", "tracking_number": "4111111111111111"});
    shop.send(Call::post(format!("/v1/orders/{order}/shipments"), parcel).bearer(&staff)).await.expect(201);
    let mut barcode = product("4111111111111111");
    barcode["attributes"] = json!({"gtin": "4111111111111111"});
    shop.send(Call::post("/v1/products", barcode).bearer(&staff)).await.expect(201);
}
