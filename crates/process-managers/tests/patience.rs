//! What may never come to anything is tried for a while only.

use std::time::Duration;

use domain::ids::ShipmentId;
use domain::order::Status;
use domain::payment::Standing;
use domain::process::Step;
use domain::{Money, State, StreamId};
use serde_json::json;
use uuid::Uuid;

use crate::given::House;
use crate::shop::{Ordered, PRICE};

/// Pauses that make half an hour short.
async fn house() -> House {
    let mut house = House::build().await;
    (house.options.pause_first, house.options.pause_max) =
        (Duration::from_millis(1), Duration::from_millis(2));
    house.options.poll = Duration::from_millis(2);
    house
}

async fn confirmed(house: &House) -> Ordered {
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    ordered
}

/// Waits until somebody must look at the step of that kind. How often it was tried, and why it is given up.
async fn given_up(house: &House, kind: &str) -> (String, i32, String) {
    const GIVEN_UP: &str = "SELECT key, attempts, last_error FROM process.steps
         WHERE attention_at IS NOT NULL AND step ->> 'step' = $1";
    let begun = std::time::Instant::now();
    loop {
        let found = sqlx::query_as(GIVEN_UP).bind(kind).fetch_optional(&house.database.pool).await.unwrap();
        if let Some(found) = found {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "never given up: {:?}", house.open_steps().await);
        tokio::task::yield_now().await;
    }
}

async fn make_due(house: &House, key: &str) {
    let sql = "UPDATE process.steps SET due_at = now(), attention_at = NULL WHERE key = $1";
    let due = sqlx::query(sql).bind(key).execute(&house.database.pool).await.unwrap();
    assert_eq!(due.rows_affected(), 1);
}

/// Somebody takes the money at the gateway itself: what is taken cannot be let go.
#[tokio::test(flavor = "multi_thread")]
async fn a_void_that_is_refused_for_good_is_given_up() {
    let house = house().await;
    let running = house.run();
    let ordered = confirmed(&house).await;
    let State::Payment(payment) = house.state(&StreamId::payment(ordered.payment_id)).await else { panic!() };
    let amount: Money = payment.known().unwrap().amount;
    let url = format!("http://{}/v1/payments/{}/captures", house.gateway.address, ordered.payment_id);
    let body = json!({"id": Uuid::now_v7(), "amount": amount});
    let taken = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    assert!(taken.status().is_success(), "{taken:?}");
    house.ask(ordered.cancel()).await;
    let (_, attempts, why) = given_up(&house, "void").await;
    assert!(why.contains("captured_already"), "{why}");
    assert!(attempts > 60, "given up after {attempts} tries");
    house.until_payment(&ordered, Standing::VoidRequested).await;
    running.stop().await;
}

/// The capture that a refund waits for may never come. When it comes after all, the refund can be tried again.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_does_not_wait_for_its_capture_for_ever() {
    let house = house().await;
    let running = house.run();
    let ordered = confirmed(&house).await;
    running.stop().await;
    house.ask(ordered.ship(ShipmentId(Uuid::now_v7()))).await;
    house.ask(ordered.refund(PRICE / 2)).await;
    let State::Payment(payment) = house.state(&StreamId::payment(ordered.payment_id)).await else { panic!() };
    let capture_id = *payment.known().unwrap().captures.keys().next().unwrap();
    let capture = Step::Capture { payment_id: ordered.payment_id, capture_id };
    house.write_down(&capture.key(), serde_json::to_value(&capture).unwrap(), 3_600).await;
    let running = house.run();
    let (refund, attempts, why) = given_up(&house, "refund").await;
    assert!(why.contains("not captured yet"), "{why}");
    assert!(attempts > 60, "given up after {attempts} tries");
    make_due(&house, &capture.key()).await;
    house.quiet().await;
    make_due(&house, &refund).await;
    house.until_order(&ordered, Status::PartiallyRefunded).await;
    assert_eq!(house.gateway.count(ordered.payment_id, "refunded").await, 1);
    running.stop().await;
}
