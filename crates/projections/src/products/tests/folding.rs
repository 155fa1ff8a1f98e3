use domain::ids::{OrderId, ReturnId, ShipmentId};
use domain::product::{Changed, Published, Unpublished};
use domain::{Currency, Money, stock};
use serde_json::json;
use uuid::Uuid;

use crate::orders::given::{at, given};
use crate::products::Products;
use crate::products::query::find;
use crate::products::testing::examples::*;

const ORDER: OrderId = OrderId(Uuid::from_u128(77));

#[tokio::test]
async fn a_product_is_added_changed_published_and_withdrawn() {
    let shoes = product(SHOES, &[("ko", "운동화"), ("en", "Shoes")]);
    let change = Changed {
        name: Some(texts(&[("ko", "새 운동화")])),
        brand: Some("Nike".to_owned()),
        prices: Some(vec![
            Money::new(2_000, Currency::KRW),
            Money::new(199, Currency::parse("USD").unwrap()),
        ]),
        ..Changed::default()
    };
    let given = given(Products, [happened(SHOES, shoes)])
        .await
        .then(
            "products",
            json!({"sku": "SKU-1", "version": 1, "published": false, "category": "misc", "brand": null,
                "prices": {"KRW": 1_000}, "available": 0, "bought": 0,
                "sort_names": {"ko": "운동화", "en": "shoes", "ja": "운동화"}}),
        )
        .await
        .when([happened(SHOES, change), happened(SHOES, Published {})])
        .await
        .then(
            "products",
            json!({"version": 3, "published": true, "category": "misc", "brand": "Nike",
                "prices": {"KRW": 2_000, "USD": 199}, "name": {"ko": "새 운동화"}}),
        )
        .await
        .then(
            "product_texts",
            json!({"names": "\n새 운동화\n", "folded": "\n새 운동화\nmisc\nnike\nsku-1\n새운동화\n"}),
        )
        .await
        .when([happened(SHOES, Unpublished {})])
        .await
        .then("products", json!({"version": 4, "published": false}))
        .await
        .and_again()
        .await;
    let shown = find(&given.pool, id(SHOES)).await.unwrap().unwrap();
    assert_eq!((shown.created_at, shown.updated_at, shown.version), (at(1), at(4), 4));
    assert_eq!(
        shown.prices,
        [Money::new(2_000, Currency::KRW), Money::new(199, Currency::parse("USD").unwrap())]
    );
    assert_eq!(shown.description, texts(&[("ko", "설명")]));
    assert_eq!(find(&given.pool, id(SHIRT)).await.unwrap(), None);
}

#[tokio::test]
async fn what_can_be_bought_follows_the_stock() {
    let given = given(Products, offered(product(SHOES, &[("ko", "운동화")])))
        .await
        .when([
            stocked(SHOES, stock::Listed { sku: sku(SHOES), product_id: id(SHOES) }),
            stocked(SHOES, received(10)),
        ])
        .await
        .then("products", json!({"available": 10, "stock_version": 2, "version": 2}))
        .await
        .when([stocked(SHOES, stock::Reserved { order_id: ORDER, quantity: 4 })])
        .await
        .then("products", json!({"available": 6}))
        .await
        .when([
            stocked(SHOES, stock::Released { order_id: ORDER, quantity: 1 }),
            stocked(SHOES, stock::Adjusted { delta: -2, reason: "count".to_owned() }),
        ])
        .await
        .then("products", json!({"available": 5}))
        .await;
    let shipped = stock::Shipped { order_id: ORDER, shipment_id: ShipmentId(Uuid::nil()), quantity: 3 };
    let restocked = stock::Restocked { order_id: ORDER, return_id: ReturnId(Uuid::nil()), quantity: 1 };
    given
        .when([stocked(SHOES, shipped), stocked(SHOES, stock::ReorderPointSet { quantity: 2 })])
        .await
        .then("products", json!({"available": 5, "stock_version": 7}))
        .await
        .when([stocked(SHOES, restocked)])
        .await
        .then("products", json!({"available": 6, "version": 2}))
        .await
        .and_again()
        .await;
}

#[tokio::test]
async fn stock_comes_in_the_batch_that_adds_the_product_and_of_others_nothing() {
    let mut batch = vec![stocked(SHIRT, received(3))];
    batch.extend(offered(product(SHOES, &[("ko", "운동화")])));
    batch.push(stocked(SHOES, received(7)));
    given(Products, batch)
        .await
        .then("products", json!({"available": 7, "sku": "SKU-1"}))
        .await
        .and_again()
        .await;
}

#[tokio::test]
async fn batches_of_any_size_make_the_same_rows() {
    let mut events = catalogue();
    events.extend([bought(90, [SHOES, SOCKS]), bought(91, [SHOES, BALL, SOCKS])]);
    given(Products, events.clone()).await.equals_fresh(events).await;
}
