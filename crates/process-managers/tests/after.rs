//! What becomes of the money after the order is confirmed.

use domain::ids::{ReturnId, ShipmentId};
use domain::notification::Template;
use domain::order::Status;
use domain::payment::Standing;
use domain::process::Step;
use domain::{State, StreamId};
use process_managers::CaptureWhen;
use uuid::Uuid;

use crate::given::{House, notices};
use crate::shop::{Order, Ordered, PRICE, product};

async fn captured(house: &House, ordered: &Ordered) -> i64 {
    match house.state(&StreamId::payment(ordered.payment_id)).await {
        State::Payment(payment) => payment.captured().unwrap().amount,
        other => panic!("{other:?} in a payment stream"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_is_captured_and_what_comes_back_is_refunded() {
    let house = House::build().await;
    let running = house.run();
    let ordered = house.order("approve").await;
    let (shipment, back) = (ShipmentId(Uuid::now_v7()), ReturnId(Uuid::now_v7()));
    house.until_order(&ordered, Status::Confirmed).await;
    assert_eq!(captured(&house, &ordered).await, 0);
    house.ask(ordered.ship(shipment)).await;
    house.quiet().await;
    assert!(captured(&house, &ordered).await >= PRICE);
    house.ask(ordered.deliver(shipment)).await;
    house.ask(ordered.ask_return(back)).await;
    house.ask(ordered.receive_return(back)).await;
    house.quiet().await;
    for (kind, times) in [("authorised", 1), ("captured", 1), ("refunded", 1), ("voided", 0)] {
        assert_eq!(house.gateway.count(ordered.payment_id, kind).await, times, "{kind}");
    }
    assert_eq!(house.count(StreamId::order(ordered.order_id), "OrderRefunded").await, 1);
    let mut templates: Vec<_> = notices(&house, &ordered).await.iter().map(|each| each.template).collect();
    templates.sort_by_key(|template| format!("{template:?}"));
    let told =
        [Template::OrderConfirmed, Template::Refunded, Template::ShipmentDelivered, Template::ShipmentSent];
    assert_eq!(templates, told);
    running.stop().await;
}

/// Asked to give back what is not captured yet: first the one, then the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_waits_for_its_capture() {
    let house = House::build().await;
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    running.stop().await;
    house.ask(ordered.ship(ShipmentId(Uuid::now_v7()))).await;
    house.ask(ordered.refund(PRICE / 2)).await;
    // The capture's time comes later than the refund's.
    let State::Payment(payment) = house.state(&StreamId::payment(ordered.payment_id)).await else { panic!() };
    let capture_id = *payment.known().unwrap().captures.keys().next().unwrap();
    let step = Step::Capture { payment_id: ordered.payment_id, capture_id };
    house.write_down(&step.key(), serde_json::to_value(&step).unwrap(), 3_600).await;
    let running = house.run();
    let waits = |(key, why): &(String, Option<String>)| {
        key.starts_with("refund-") && why.as_deref().is_some_and(|why| why.contains("not captured yet"))
    };
    house.until_step("waiting for a capture", waits).await;
    let due = sqlx::query("UPDATE process.steps SET due_at = now() WHERE key = $1").bind(step.key());
    due.execute(&house.database.pool).await.unwrap();
    house.until_order(&ordered, Status::PartiallyRefunded).await;
    let kinds: Vec<_> = house.gateway.ledger().await.iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["accepted", "authorised", "captured", "refunded"]);
    running.stop().await;
}

/// A shop that captures at once has the money with the confirmation, and gives it back instead of letting it go.
#[tokio::test(flavor = "multi_thread")]
async fn captured_at_once() {
    let mut house = House::build().await;
    house.options.capture = CaptureWhen::AtOnce;
    let running = house.run();
    for token in ["approve", "timeout_after_charge", "webhook_late"] {
        let ordered = house.order(token).await;
        house.until_order(&ordered, Status::Confirmed).await;
        house.quiet().await;
        assert!(captured(&house, &ordered).await >= PRICE, "{token}");
        house.ask(ordered.cancel()).await;
        house.quiet().await;
        for (kind, times) in [("authorised", 1), ("captured", 1), ("refunded", 1), ("voided", 0)] {
            assert_eq!(house.gateway.count(ordered.payment_id, kind).await, times, "{token}: {kind}");
        }
        house.until_order(&ordered, Status::Cancelled).await;
        house.until_payment(&ordered, Standing::Authorised).await;
    }
    running.stop().await;
}

/// The configuration changes while a payment is under way: what the gateway did counts, not what is configured now.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_took_counts() {
    let mut house = House::without_webhooks(crate::gateway::delays()).await;
    let running = house.run();
    let sku = product(&house.engine, 10).await;
    let ordered = Order::of(&sku, "timeout_after_charge").place(&house.engine).await;
    let payment = StreamId::payment(ordered.payment_id);
    house.gateway.until(ordered.payment_id, "authorised").await;
    running.crash().await;
    house.options.capture = CaptureWhen::AtOnce;
    house.options.lease = std::time::Duration::from_millis(100);
    // The claim of the one that is gone ends with its lease.
    sqlx::query("UPDATE process.steps SET claimed_until = now() WHERE claimed_by IS NOT NULL")
        .execute(&house.database.pool)
        .await
        .unwrap();
    sqlx::query("UPDATE process.checkpoint SET leads_until = now()")
        .execute(&house.database.pool)
        .await
        .unwrap();
    let running = house.run();
    house.until_order(&ordered, Status::Confirmed).await;
    assert_eq!(captured(&house, &ordered).await, 0, "it is held, not taken");
    assert_eq!(house.count(payment, "PaymentCaptureRequested").await, 0);
    running.stop().await;
}
