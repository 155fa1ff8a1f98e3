//! The table of steps does not grow for ever.

use std::time::{Duration, Instant};

use domain::order::Status;

use crate::given::House;

/// Steps by what their keys begin with, with how long ago they were done and what they follow from: more than are deleted at once.
const STEPS: &str = "INSERT INTO process.steps
        (key, step, cause_position, cause_event_id, correlation_id, caused_at, due_at, done_at)
    SELECT kind || n, '{}', position, gen_random_uuid(), gen_random_uuid(), now(), now() - interval '40 days',
           now() - days * interval '1 day'
      FROM (VALUES ('old-', 1, 31), ('young-', 1, 29), ('beyond-', 1000000, 40)) k (kind, position, days),
           generate_series(1, 1200) n
     WHERE kind = 'old-' OR n <= 3";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_long_ago_is_deleted() {
    let mut house = House::build().await;
    house.options.tidy_every = Duration::from_millis(20);
    sqlx::raw_sql(STEPS).execute(&house.database.pool).await.unwrap();
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    let begun = Instant::now();
    while count(&house, "old-").await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "they are never deleted");
        tokio::task::yield_now().await;
    }
    assert_eq!((count(&house, "young-").await, count(&house, "beyond-").await), (3, 3));
    assert_eq!((count(&house, "authorise-").await, count(&house, "expire-").await), (1, 1));
    running.stop().await;
}

async fn count(house: &House, begins: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM process.steps WHERE starts_with(key, $1)")
        .bind(begins)
        .fetch_one(&house.database.pool)
        .await
        .unwrap()
}
