//! Answers of the database that are lost.

use std::time::Duration;

use domain::order::Status;

use crate::given::House;

/// A claim is written down, but whoever claimed does not hear of it, and lives on. It ends with its lease, and the step is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_without_an_answer_ends_with_its_lease() {
    // The claim outlives several renewals, so that it would be kept.
    const CLAIM: &str = "UPDATE process.steps
           SET done_at = NULL, due_at = now(), claimed_by = (SELECT leader FROM process.checkpoint),
               claimed_until = now() + interval '900 milliseconds'
         WHERE key = $1";
    let mut house = House::build().await;
    house.options.lease = Duration::from_millis(900);
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    let key = format!("authorise-{}", ordered.payment_id);
    let before = house.attempts(&key).await;
    let claimed = sqlx::query(CLAIM).bind(&key).execute(&house.database.pool).await.unwrap();
    assert_eq!(claimed.rows_affected(), 1);
    house.quiet().await;
    assert_eq!(house.attempts(&key).await, before + 1);
    assert_eq!(house.gateway.count(ordered.payment_id, "authorised").await, 1);
    running.stop().await;
}
