//! How it ends.

use std::time::Duration;

use domain::order::Status;
use domain::payment::Standing;
use payments::sandbox::server::Delays;
use process_managers::Error;

use crate::gateway::delays;
use crate::given::House;

async fn claims(house: &House) -> (i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM process.steps WHERE claimed_by IS NOT NULL),
                      (SELECT count(*) FROM process.checkpoint WHERE leader IS NOT NULL)";
    sqlx::query_as(sql).fetch_one(&house.database.pool).await.unwrap()
}

async fn asked(house: &House, token: &str) -> crate::shop::Ordered {
    let ordered = house.order(token).await;
    house.gateway.until(ordered.payment_id, "accepted").await;
    ordered
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_finishes_what_is_under_way() {
    let house = House::build().await;
    let running = house.run();
    let ordered = asked(&house, "slow").await;
    running.stop().await;
    house.until_payment(&ordered, Standing::Authorised).await;
    assert_eq!(claims(&house).await, (0, 0));
}

/// It does not wait for ever: what is not finished is given back at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_gives_back_what_takes_too_long() {
    let mut house = House::without_webhooks(Delays { slow: Duration::from_secs(30), ..delays() }).await;
    house.options.stop_max = Duration::from_millis(10);
    let running = house.run();
    let ordered = asked(&house, "slow").await;
    running.stop().await;
    house.until_order(&ordered, Status::PendingPayment).await;
    assert_eq!(claims(&house).await, (0, 0));
    let running = house.run();
    house.until_order(&ordered, Status::Confirmed).await;
    assert_eq!(house.gateway.count(ordered.payment_id, "authorised").await, 1);
    running.stop().await;
}

/// Another log under the same name is never followed from where the first one was.
#[tokio::test(flavor = "multi_thread")]
async fn another_epoch_stops_it() {
    let house = House::build().await;
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    let before = house.store.head().await.unwrap();
    house.store.bump_epoch().await.unwrap();
    house.order("approve").await;
    for ended in [running.ended().await, house.run().ended().await] {
        let Err(Error::Epoch { known, .. }) = ended else { panic!("{ended:?}") };
        assert_eq!(known, before.epoch);
    }
    assert_eq!(claims(&house).await, (0, 0));
}
