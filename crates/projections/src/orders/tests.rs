use domain::ids::{NotificationId, OrderId, ShipmentId};
use domain::order::Status;
use domain::{Event, Owner, StreamId, notification, order, stock};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Orders;
use super::examples::*;
use super::given::{at, given};
use super::query::{self, Filter};

#[tokio::test]
async fn a_placed_order_is_pending_and_shows_whom_to_reach() {
    given(Orders, [])
        .await
        .when([happened(placed())])
        .await
        .then(
            "orders",
            json!({"status": "pending_payment", "version": 1, "owner_kind": "customer", "total": 123_000,
            "currency": "KRW", "refunded": 0, "contact": {"email": "hong@example.com", "name": "홍길동"}}),
        )
        .await
        .and_again()
        .await;
}

#[tokio::test]
async fn it_goes_all_the_way_and_back() {
    let given = given(Orders, [happened(placed()), happened(confirmed())])
        .await
        .then("orders", json!({"status": "confirmed", "version": 2}))
        .await
        .when([happened(sent(SHIPMENT, 1))])
        .await
        .then("orders", json!({"status": "partially_shipped"}))
        .await
        .when([happened(sent(ShipmentId(Uuid::from_u128(7)), 1)), happened(delivered(SHIPMENT))])
        .await
        .then("orders", json!({"status": "shipped"}))
        .await
        .when([happened(delivered(ShipmentId(Uuid::from_u128(7)))), happened(return_requested(1))])
        .await
        .then("orders", json!({"status": "delivered"}))
        .await
        .when([happened(return_received(60_000))])
        .await
        .then("orders", json!({"status": "partially_returned", "refunded": 0}))
        .await
        .when([happened(refunded(60_000))])
        .await
        .then("orders", json!({"status": "partially_refunded", "refunded": 60_000, "version": 9}))
        .await
        .and_again()
        .await;
    let order = query::find(&given.pool, ORDER).await.unwrap().unwrap();
    let line = &order.lines[0];
    assert_eq!((line.quantity, line.shipped, line.returned), (2, 2, 1));
    assert_eq!(order.returns[0].refund, Some(won(60_000)));
    assert_eq!((order.returns[0].requested_at, order.returns[0].received_at), (at(7), Some(at(8))));
    assert_eq!((order.placed_at, order.updated_at), (at(1), at(9)));
}

#[tokio::test]
async fn what_ends_it_says_why() {
    let declined = order::PaymentFailed { reason: "declined".to_owned() };
    let given = given(Orders, [happened(placed()), happened(declined)])
        .await
        .then("orders", json!({"status": "payment_failed"}))
        .await;
    let order = query::find(&given.pool, ORDER).await.unwrap().unwrap();
    assert_eq!(order.reason.as_deref(), Some("declined"));
}

#[tokio::test]
async fn forgetting_a_buyer_empties_their_orders_and_a_fresh_fold_agrees() {
    given(Orders, [happened(placed()), happened(confirmed())])
        .await
        .when([forgotten()])
        .await
        .then("orders", json!({"status": "confirmed", "contact": null, "address": null, "version": 2}))
        .await
        .and_again()
        .await
        .equals_fresh([happened(placed_and_forgotten()), happened(confirmed()), forgotten()])
        .await;
}

#[tokio::test]
async fn an_order_that_is_placed_while_its_buyer_is_forgotten_shows_nobody() {
    for one_batch in [true, false] {
        let given = given(Orders, []).await;
        let given = if one_batch {
            given.when([forgotten(), happened(placed())]).await
        } else {
            given.when([forgotten()]).await.when([happened(placed())]).await
        };
        given
            .then("orders", json!({"status": "pending_payment", "contact": null, "address": null}))
            .await
            .equals_fresh([forgotten(), happened(placed_and_forgotten())])
            .await;
    }
}

#[tokio::test]
async fn where_other_streams_speak_of_it_is_known() {
    let item = StreamId::stock(&sku());
    let reserved = stock::Reserved { order_id: ORDER, quantity: 2 };
    let received = stock::Received { quantity: 9, reason: "delivery".to_owned() };
    let notice = notification::Requested {
        notification_id: NotificationId(Uuid::from_u128(5)),
        order_id: ORDER,
        template: notification::Template::OrderConfirmed,
        channel: notification::Channel::Email,
        locale: placed().locale,
        expires_at: at(9_000),
    };
    let given = given(
        Orders,
        [
            (item.clone(), Event::Stock(received.into())),
            happened(placed()),
            (item, Event::Stock(reserved.into())),
            (StreamId::notification(notice.notification_id), Event::Notification(notice.into())),
        ],
    )
    .await
    .and_again()
    .await;
    assert_eq!(query::mentions(&given.pool, ORDER).await.unwrap(), [3, 4]);
}

fn numbered(number: u128, owner: Owner) -> (StreamId, Event) {
    let id = OrderId(Uuid::from_u128(number));
    (StreamId::order(id), Event::Order(order::Placed { order_id: id, owner, ..placed() }.into()))
}

async fn listed(pool: &sqlx::PgPool, filter: Filter) -> Vec<u128> {
    query::list(pool, &filter).await.unwrap().iter().map(|order| order.order_id.0.as_u128()).collect()
}

#[tokio::test]
async fn lists_are_newest_first_and_filtered() {
    let (mine, theirs) = (Owner::Customer(CUSTOMER), Owner::Guest(CART));
    let events = [numbered(10, mine), numbered(11, theirs), numbered(12, mine), numbered(13, mine)];
    let given = given(Orders, events).await;
    let confirmed = (StreamId::order(OrderId(Uuid::from_u128(12))), Event::Order(confirmed().into()));
    let pool = given.when([confirmed]).await;
    let all = Filter { limit: 100, ..Filter::default() };
    let only = |change: fn(&mut Filter)| {
        let mut filter = all.clone();
        change(&mut filter);
        listed(&pool.pool, filter)
    };
    assert_eq!(listed(&pool.pool, all.clone()).await, [13, 12, 11, 10]);
    assert_eq!(only(|filter| filter.limit = 2).await, [13, 12]);
    assert_eq!(only(|filter| filter.after = Some((at(3), OrderId(Uuid::from_u128(12))))).await, [11, 10]);
    assert_eq!(only(|filter| filter.owner = Some(Owner::Customer(CUSTOMER))).await, [13, 12, 10]);
    assert_eq!(only(|filter| filter.owner = Some(Owner::Guest(CART))).await, [11]);
    assert_eq!(only(|filter| filter.status = Some(Status::Confirmed)).await, [12]);
    assert_eq!(only(|filter| filter.from = Some(at(3))).await, [13, 12]);
    assert_eq!(only(|filter| filter.to = Some(at(3))).await, [11, 10]);
}

#[tokio::test]
async fn nobody_is_owner_of_what_is_not_there() {
    let given = given(Orders, [happened(placed())]).await;
    assert_eq!(query::owner(&given.pool, ORDER).await.unwrap(), Some(Owner::Customer(CUSTOMER)));
    assert_eq!(query::owner(&given.pool, OrderId(Uuid::from_u128(99))).await.unwrap(), None);
    let none: Vec<Value> = given.rows("order_mentions").await;
    assert!(none.is_empty());
}

#[test]
fn every_event_of_an_order_is_read_when_it_is_rebuilt() {
    let known: Vec<&str> = domain::Event::types().map(|(name, _)| name).collect();
    let missing: Vec<_> = super::TYPES.iter().filter(|name| !known.contains(name)).collect();
    assert!(missing.is_empty(), "there are no such events: {missing:?}");
    for name in known.into_iter().filter(|name| name.starts_with("Order")) {
        assert!(super::TYPES.contains(&name), "{name}");
    }
}
