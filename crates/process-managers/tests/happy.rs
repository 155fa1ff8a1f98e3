//! When all goes well.

use std::time::Duration;

use domain::notification::Template;
use domain::order::Status;
use domain::payment::Standing;
use domain::{Actor, Event, StreamId, payment};
use process_managers::Options;

use crate::given::{House, notices};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_paid_and_confirmed() {
    let house = House::build().await;
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    house.until_payment(&ordered, Standing::Authorised).await;
    for (kind, times) in [("accepted", 1), ("authorised", 1), ("captured", 0)] {
        assert_eq!(house.gateway.count(ordered.payment_id, kind).await, times, "{kind}");
    }
    assert_eq!(house.available(&ordered).await, 9);
    let notices = notices(&house, &ordered).await;
    assert_eq!(notices.iter().map(|notice| notice.template).collect::<Vec<_>>(), [Template::OrderConfirmed]);
    assert_eq!(notices[0].locale.as_str(), "ko");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_says_why() {
    let house = House::build().await;
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    let events = house.store.read_stream(&StreamId::payment(ordered.payment_id), 0).await.unwrap();
    let [requested, authorised] = &events[..] else { panic!("{events:?}") };
    assert!(matches!(authorised.event, Event::Payment(payment::Event::Authorised(_))));
    assert_eq!(authorised.metadata.causation_id, Some(requested.event_id));
    assert_eq!(authorised.metadata.correlation_id, requested.metadata.correlation_id);
    assert_eq!(authorised.metadata.actor, Actor::system("process-manager"));
    running.stop().await;
}

/// Nothing on this way waits for a clock: the table would be looked at once an hour only.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_wakes_whoever_must_act_on_it() {
    let mut house = House::build().await;
    house.options = Options { poll: Duration::from_secs(3_600), ..house.options };
    let running = house.run();
    for _ in 0..5 {
        let ordered = house.order("approve").await;
        house.until_order(&ordered, Status::Confirmed).await;
    }
    running.stop().await;
}

/// What happened while nobody ran is done when somebody does.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_is_done_later() {
    let house = House::build().await;
    let orders = [house.order("approve").await, house.order("decline").await];
    let running = house.run();
    house.until_order(&orders[0], Status::Confirmed).await;
    house.until_order(&orders[1], Status::PaymentFailed).await;
    running.stop().await;
}
