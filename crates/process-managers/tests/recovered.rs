//! Going on after the log became another one.

use domain::order::Status;
use event_store::Position;
use process_managers::Error;
use process_managers::recovery::{self, follow_this_log};

use crate::given::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_log_is_followed_from_where_it_was() {
    let house = House::build().await;
    let pool = &house.database.pool;
    assert_eq!(follow_this_log(pool, None).await.unwrap(), None, "nothing was followed yet");
    let running = house.run();
    let before = house.order("approve").await;
    house.until_order(&before, Status::Confirmed).await;
    house.quiet().await;
    let was = house.store.head().await.unwrap().epoch;
    let epoch = house.store.bump_epoch().await.unwrap().epoch;
    let after = house.order("approve").await;
    assert!(matches!(running.ended().await, Err(Error::Epoch { .. })));

    let followed = follow_this_log(pool, None).await.unwrap().unwrap();
    assert_eq!((followed.was, followed.epoch), (was, epoch));
    let again = follow_this_log(pool, None).await.unwrap().unwrap();
    assert_eq!((again.was, again.position), (epoch, followed.position), "nothing more to do");
    let running = house.run();
    house.until_order(&after, Status::Confirmed).await;
    running.stop().await;
    assert_eq!(house.gateway.count(before.payment_id, "authorised").await, 1);
}

/// What they had done of the lost end is named, and nothing goes on until somebody has said from where.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_its_end_is_followed_from_where_somebody_says() {
    let house = House::build().await;
    let pool = &house.database.pool;
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    running.stop().await;
    // As if the end of the log had been another one when they followed it.
    let sql = "UPDATE process.steps SET cause_event_id = gen_random_uuid()
                WHERE cause_position = (SELECT max(cause_position) FROM process.steps) RETURNING key";
    let mut foreign: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
    foreign.sort();
    house.store.bump_epoch().await.unwrap();

    let refused = follow_this_log(pool, None).await.unwrap_err();
    let recovery::Error::AnotherLog { steps, position, head } = refused else { panic!("{refused}") };
    assert_eq!((steps, position), (foreign, head));
    let skips = follow_this_log(pool, Some(Position(head.0 + 1))).await.unwrap_err();
    assert!(matches!(skips, recovery::Error::Skips { .. }), "{skips}");
    assert!(matches!(house.run().ended().await, Err(Error::Epoch { .. })), "nothing was changed");

    let followed = follow_this_log(pool, Some(Position(0))).await.unwrap().unwrap();
    assert_eq!(followed.position, Position(0));
    let running = house.run();
    let after = house.order("approve").await;
    house.until_order(&after, Status::Confirmed).await;
    running.stop().await;
    assert_eq!(
        house.gateway.count(ordered.payment_id, "authorised").await,
        1,
        "every step may be done twice"
    );
}
