//! Orders that come to nothing.

use std::time::Duration;

use chrono::Utc;
use domain::notification::Template;
use domain::order::Status;
use domain::payment::Standing;
use domain::{Event, StreamId, order, payment};

use crate::gateway::delays;
use crate::given::{House, notices};
use crate::shop::{Order, Ordered, product};

/// Why an order was not paid.
async fn reason(house: &House, ordered: &Ordered) -> String {
    let events = house.store.read_stream(&StreamId::order(ordered.order_id), 0).await.unwrap();
    let mut reasons = events.into_iter().filter_map(|recorded| match recorded.event {
        Event::Order(order::Event::PaymentFailed(failed)) => Some(failed.reason),
        _ => None,
    });
    reasons.next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_order_gives_its_stock_back() {
    let house = House::build().await;
    let running = house.run();
    for (token, why) in [("decline", "declined"), ("no such token", "unknown_token")] {
        let ordered = house.order(token).await;
        house.until_order(&ordered, Status::PaymentFailed).await;
        house.quiet().await;
        house.until_payment(&ordered, Standing::Failed).await;
        assert_eq!(reason(&house, &ordered).await, why);
        assert_eq!(house.available(&ordered).await, 10);
        assert_eq!(house.gateway.count(ordered.payment_id, "authorised").await, 0);
        let notices = notices(&house, &ordered).await;
        assert_eq!(notices.iter().map(|each| each.template).collect::<Vec<_>>(), [Template::PaymentFailed]);
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_there_is_not_declines() {
    let house = House::build().await;
    let running = house.run();
    let sku = product(&house.engine, 10).await;
    let order = Order { gateway: "nobody", ..Order::of(&sku, "approve") };
    let ordered = order.place(&house.engine).await;
    house.until_order(&ordered, Status::PaymentFailed).await;
    assert_eq!(reason(&house, &ordered).await, "unknown gateway");
    assert_eq!(house.available(&ordered).await, 10);
    running.stop().await;
}

/// The gateway says yes when the order does not wait any more: it is asked to let the money go.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_yes_is_let_go() {
    let late = payments::sandbox::server::Delays { late: Duration::from_millis(1_500), ..delays() };
    let house = House::without_webhooks(late).await;
    let running = house.run();
    let sku = product(&house.engine, 10).await;
    let reserved_until = Utc::now() + Duration::from_millis(300);
    let ordered = Order { reserved_until, ..Order::of(&sku, "webhook_late") }.place(&house.engine).await;
    house.until_order(&ordered, Status::PaymentFailed).await;
    assert!(Utc::now() >= reserved_until, "it was not to be released yet");
    assert_eq!(reason(&house, &ordered).await, "expired");
    assert_eq!(house.available(&ordered).await, 10);
    house.until_payment(&ordered, Standing::Voided).await;
    for (kind, times) in [("accepted", 1), ("authorised", 1), ("voided", 1), ("captured", 0)] {
        assert_eq!(house.gateway.count(ordered.payment_id, kind).await, times, "{kind}");
    }
    house.until_order(&ordered, Status::PaymentFailed).await;
    assert_eq!(house.available(&ordered).await, 10);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_order_does_not_expire() {
    let house = House::build().await;
    let running = house.run();
    let sku = product(&house.engine, 10).await;
    let reserved_until = Utc::now() + Duration::from_secs(2);
    let ordered = Order { reserved_until, ..Order::of(&sku, "approve") }.place(&house.engine).await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.until_no_step().await;
    house.until_order(&ordered, Status::Confirmed).await;
    assert_eq!(house.available(&ordered).await, 9);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_order_has_its_money_let_go() {
    let house = House::build().await;
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.ask(ordered.cancel()).await;
    house.until_payment(&ordered, Standing::Voided).await;
    assert_eq!(house.gateway.count(ordered.payment_id, "voided").await, 1);
    assert_eq!(house.available(&ordered).await, 10);
    running.stop().await;
}

/// Cancelled while the gateway is being asked: its yes is let go.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_cancelled_before_it_is_paid() {
    let house = House::build().await;
    let ordered = house.order("approve").await;
    house.ask(ordered.cancel()).await;
    let running = house.run();
    house.until_payment(&ordered, Standing::Voided).await;
    let voided = house.count(StreamId::payment(ordered.payment_id), "PaymentVoided").await;
    assert_eq!((voided, house.available(&ordered).await), (1, 10));
    house.until_order(&ordered, Status::Cancelled).await;
    assert!(!matches!(
        house
            .store
            .read_stream(&StreamId::payment(ordered.payment_id), 0)
            .await
            .unwrap()
            .last()
            .unwrap()
            .event,
        Event::Payment(payment::Event::Captured(_))
    ));
    running.stop().await;
}
