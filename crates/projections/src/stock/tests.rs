use domain::ids::{OrderId, ProductId, ReturnId, ShipmentId};
use domain::stock;
use domain::text::Sku;
use domain::{Event, StreamId};
use event_store::Position;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{Stock, query};
use crate::ReadModel;
use crate::orders::examples::ORDER;
use crate::orders::given::{at, given};

fn item(sku: &str, event: impl Into<stock::Event>) -> (StreamId, Event) {
    (StreamId::stock(&Sku::parse(sku).unwrap()), Event::Stock(event.into()))
}

fn listed(sku: &str) -> (StreamId, Event) {
    let product_id = ProductId(Uuid::from_u128(0x0F));
    item(sku, stock::Listed { sku: Sku::parse(sku).unwrap(), product_id })
}

fn received(sku: &str, quantity: u32) -> (StreamId, Event) {
    item(sku, stock::Received { quantity, reason: "delivery".to_owned() })
}

fn reserved(sku: &str, order: u128, quantity: u32) -> (StreamId, Event) {
    item(sku, stock::Reserved { order_id: OrderId(Uuid::from_u128(order)), quantity })
}

fn needed(sku: &str, available: i64) -> (StreamId, Event) {
    item(sku, stock::ReplenishmentNeeded { available, reorder_point: 5 })
}

#[tokio::test]
async fn pieces_are_counted_from_the_receipt_to_the_return() {
    let shipment_id = ShipmentId(Uuid::from_u128(0x41));
    let return_id = ReturnId(Uuid::from_u128(0x42));
    let given = given(Stock, [listed("A")])
        .await
        .then("stock", json!({"on_hand": 0, "reserved": 0, "version": 1}))
        .await
        .when([received("A", 10), reserved("A", 1, 3), reserved("A", 2, 2)])
        .await
        .then("stock", json!({"on_hand": 10, "reserved": 5}))
        .await
        .when([item("A", stock::Released { order_id: OrderId(Uuid::from_u128(2)), quantity: 2 })])
        .await
        .then("stock", json!({"on_hand": 10, "reserved": 3}))
        .await
        .when([item("A", stock::Shipped { order_id: ORDER, shipment_id, quantity: 3 })])
        .await
        .then("stock", json!({"on_hand": 7, "reserved": 0}))
        .await
        .when([
            item("A", stock::Restocked { order_id: ORDER, return_id, quantity: 1 }),
            item("A", stock::Adjusted { delta: -2, reason: "broken".to_owned() }),
        ])
        .await
        .then("stock", json!({"on_hand": 6, "reserved": 0, "version": 8}))
        .await
        .and_again()
        .await;
    let stock = query::find(&given.pool, &Sku::parse("A").unwrap()).await.unwrap().unwrap();
    assert_eq!((stock.on_hand, stock.reserved, stock.available, stock.version), (6, 0, 6, 8));
    assert_eq!(stock.updated_at, at(8));
    assert_eq!(query::find(&given.pool, &Sku::parse("B").unwrap()).await.unwrap(), None);
}

#[tokio::test]
async fn the_row_of_an_item_that_everybody_wants_stays_small() {
    let first = [listed("A"), received("A", 1_000)];
    let given = given(Stock, first.into_iter().chain((1..=1_000).map(|order| reserved("A", order, 1)))).await;
    let given = given.then("stock", json!({"on_hand": 1_000, "reserved": 1_000})).await;
    let bytes: i32 =
        sqlx::query_scalar("SELECT pg_column_size(s.*) FROM stock s").fetch_one(&given.pool).await.unwrap();
    assert!(bytes < 200, "the row has {bytes} bytes");
}

async fn open_alerts(pool: &PgPool) -> Vec<(String, u64)> {
    let alerts = query::alerts(pool, None, 100).await.unwrap();
    alerts.iter().map(|alert| (alert.sku.to_string(), alert.position.0)).collect()
}

#[tokio::test]
async fn an_alert_is_open_until_goods_come_in() {
    let reorder = item("A", stock::ReorderPointSet { quantity: 5 });
    let given =
        given(Stock, [listed("A"), received("A", 7), reorder, reserved("A", 1, 2), needed("A", 5)]).await;
    let [alert] = &query::alerts(&given.pool, None, 100).await.unwrap()[..] else { panic!("one alert") };
    assert_eq!((alert.available, alert.reorder_point, alert.raised_at), (5, 5, at(5)));

    let given = given.when([reserved("A", 2, 1)]).await;
    assert_eq!(open_alerts(&given.pool).await, [("A".to_owned(), 5)]);

    let given = given.when([received("A", 1)]).await.and_again().await;
    assert_eq!(open_alerts(&given.pool).await, []);
    let resolved: Vec<Value> = given.rows("replenishment_alerts").await;
    assert_eq!(resolved[0]["resolved_at"].as_str().unwrap().parse::<domain::Time>().unwrap(), at(7));
}

#[tokio::test]
async fn an_alert_that_is_raised_after_a_receipt_in_the_same_batch_stays_open() {
    let given = given(
        Stock,
        vec![listed("A"), needed("A", 5), received("A", 1), needed("A", 4), received("B", 1), needed("A", 3)],
    )
    .await
    .and_again()
    .await;
    assert_eq!(open_alerts(&given.pool).await, [("A".to_owned(), 6), ("A".to_owned(), 4)]);
}

#[tokio::test]
async fn alerts_come_newest_first_page_by_page() {
    let events = ["A", "B", "C"].into_iter().flat_map(|sku| [listed(sku), needed(sku, 1)]);
    let given = given(Stock, events).await;
    let page = |before| query::alerts(&given.pool, before, 2);
    let first: Vec<u64> = page(None).await.unwrap().iter().map(|alert| alert.position.0).collect();
    assert_eq!(first, [6, 4]);
    let second: Vec<u64> =
        page(Some(Position(4))).await.unwrap().iter().map(|alert| alert.position.0).collect();
    assert_eq!(second, [2]);
}

#[tokio::test]
async fn a_row_below_zero_is_refused() {
    let given = given(Stock, [listed("A"), received("A", 1)]).await;
    let mut transaction = given.pool.begin().await.unwrap();
    let refused = sqlx::query("UPDATE stock SET reserved = 2").execute(&mut *transaction).await.unwrap_err();
    assert!(refused.as_database_error().unwrap().is_check_violation());
    assert_eq!(Stock.tables(), ["stock", "replenishment_alerts"]);
}
