//! When nobody knows what the gateway did.

use std::time::Duration;

use domain::StreamId;
use domain::order::Status;
use payments::sandbox::server::Delays;

use crate::gateway::delays;
use crate::given::House;
use crate::shop::{Order, PRICE, product};

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// The gateway charges and does not answer: it is asked again, and the buyer pays once.
#[tokio::test(flavor = "multi_thread")]
async fn a_charge_without_an_answer_is_found() {
    let house = House::without_webhooks(delays()).await;
    let running = house.run();
    let ordered = house.order("timeout_after_charge").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    let payment = StreamId::payment(ordered.payment_id);
    assert_eq!(house.count(payment.clone(), "PaymentOutcomeUnknown").await, 1);
    assert_eq!(house.count(payment, "PaymentAuthorised").await, 1);
    assert_eq!(house.gateway.count(ordered.payment_id, "accepted").await, 1);
    assert_eq!(house.gateway.count(ordered.payment_id, "authorised").await, 1);
    running.stop().await;
}

/// A gateway that is away is asked until it is back; that nobody knows is written down once.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_away_is_asked_until_it_is_back() {
    let mut house = House::build().await;
    house.gateway.stop();
    let running = house.run();
    let ordered = house.order("approve").await;
    let payment = StreamId::payment(ordered.payment_id);
    house.until_tried(&format!("authorise-{}", ordered.payment_id), 4).await;
    house.until_order(&ordered, Status::PendingPayment).await;
    assert_eq!(house.count(payment.clone(), "PaymentOutcomeUnknown").await, 1);
    house.gateway.restart().await;
    house.until_order(&ordered, Status::Confirmed).await;
    assert_eq!(house.count(payment, "PaymentOutcomeUnknown").await, 1);
    assert_eq!(house.gateway.count(ordered.payment_id, "authorised").await, 1);
    running.stop().await;
}

/// The same for a refund, a capture and a void: what is asked while the gateway is away is done once when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_asked_until_it_is_known() {
    let mut house = House::build().await;
    let running = house.run();
    let (shipped, cancelled) = (house.order("approve").await, house.order("approve").await);
    house.until_order(&shipped, Status::Confirmed).await;
    house.until_order(&cancelled, Status::Confirmed).await;
    house.gateway.stop();
    house.ask(shipped.ship(uuid::Uuid::now_v7().into())).await;
    house.ask(shipped.refund(PRICE / 2)).await;
    house.ask(cancelled.cancel()).await;
    for ordered in [&shipped, &cancelled] {
        let payment = StreamId::payment(ordered.payment_id);
        let unknown = |state: &domain::State| match state {
            domain::State::Payment(payment) => payment.known().is_some_and(|known| !known.unknown.is_empty()),
            _ => false,
        };
        house.until(payment, "of unknown outcome", unknown).await;
    }
    house.gateway.restart().await;
    house.until_order(&shipped, Status::PartiallyRefunded).await;
    house.quiet().await;
    for (ordered, kind) in [(&shipped, "captured"), (&shipped, "refunded"), (&cancelled, "voided")] {
        assert_eq!(house.gateway.count(ordered.payment_id, kind).await, 1, "{kind}");
    }
    running.stop().await;
}

/// The gateway answers the others while it thinks about one.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_payment_holds_nobody_up() {
    let mut house = House::without_webhooks(Delays { slow: FOR_EVER, ..delays() }).await;
    house.gateway.timeout = FOR_EVER;
    let running = house.run();
    let slow = house.order("slow").await;
    let quick = house.order("approve").await;
    house.until_order(&quick, Status::Confirmed).await;
    house.until_order(&slow, Status::PendingPayment).await;
    running.crash().await;
}

/// More slow payments than a gateway may have calls under way: what another one does, or nobody, goes on.
#[tokio::test(flavor = "multi_thread")]
async fn many_slow_payments_leave_room() {
    let mut house = House::without_webhooks(Delays { slow: FOR_EVER, ..delays() }).await;
    (house.options.in_flight_max, house.gateway.timeout) = (4, FOR_EVER);
    let mut slow = Vec::new();
    for _ in 0..12 {
        slow.push(house.order("slow").await);
    }
    let sku = product(&house.engine, 10).await;
    let other = Order { gateway: "nobody", ..Order::of(&sku, "approve") }.place(&house.engine).await;
    let running = house.run();
    house.until_order(&other, Status::PaymentFailed).await;
    for ordered in &slow {
        house.until_order(ordered, Status::PendingPayment).await;
    }
    let accepted = house.gateway.ledger().await.iter().filter(|entry| entry["kind"] == "accepted").count();
    assert!(accepted <= 3, "{accepted} calls at once");
    running.crash().await;
}
