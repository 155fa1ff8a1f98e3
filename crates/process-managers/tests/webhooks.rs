//! Payments that are decided later.

use domain::StreamId;
use domain::order::Status;

use crate::gateway::delays;
use crate::given::House;

const TOKENS: [&str; 3] = ["webhook_late", "webhook_twice", "webhook_reordered"];

async fn confirmed_once(house: &House) {
    let running = house.run();
    for token in TOKENS {
        let ordered = house.order(token).await;
        house.until_order(&ordered, Status::Confirmed).await;
        house.quiet().await;
        assert_eq!(
            house.count(StreamId::payment(ordered.payment_id), "PaymentAuthorised").await,
            1,
            "{token}"
        );
        assert_eq!(house.count(StreamId::order(ordered.order_id), "OrderConfirmed").await, 1, "{token}");
        assert_eq!(
            house.count(StreamId::payment(ordered.payment_id), "PaymentOutcomeUnknown").await,
            0,
            "{token}"
        );
        assert_eq!(house.gateway.count(ordered.payment_id, "accepted").await, 1, "{token}");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_comes_late_twice_or_out_of_order_settles_once() {
    confirmed_once(&House::build().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_never_comes_is_not_needed() {
    confirmed_once(&House::without_webhooks(delays()).await).await;
}

/// Nobody asks any more: the webhook alone settles it, and the step that asks finds it settled.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_enough() {
    let mut house = House::build().await;
    house.options.pause_first = std::time::Duration::from_secs(3_600);
    house.options.pause_max = house.options.pause_first;
    let running = house.run();
    let ordered = house.order("webhook_late").await;
    house.until_order(&ordered, Status::Confirmed).await;
    let settled = house.store.read_stream(&StreamId::payment(ordered.payment_id), 0).await.unwrap();
    assert_eq!(settled.last().unwrap().metadata.actor, domain::Actor::system("webhooks"));
    running.stop().await;
}
