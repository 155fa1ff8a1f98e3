//! Events that this program cannot read.

use domain::StreamId;
use domain::order::Status;

use crate::given::House;
use crate::shop::Ordered;

/// Gives the first event of an order's payment another name. The log lets nobody do this but in a session that says it is a replica.
async fn rename(house: &House, ordered: &Ordered, name: &str) {
    let mut transaction = house.database.pool.begin().await.unwrap();
    sqlx::query("SET LOCAL session_replication_role = replica").execute(&mut *transaction).await.unwrap();
    let renamed = sqlx::query("UPDATE log.events SET type = $1 WHERE stream = $2 AND version = 1")
        .bind(name)
        .bind(StreamId::payment(ordered.payment_id).as_str())
        .execute(&mut *transaction)
        .await
        .unwrap();
    assert_eq!(renamed.rows_affected(), 1);
    transaction.commit().await.unwrap();
}

async fn unread(house: &House) -> Vec<(String, String)> {
    let query = sqlx::query_as("SELECT stream, type FROM process.unread");
    query.fetch_all(&house.database.pool).await.unwrap()
}

/// A newer program has begun a payment in a way of its own.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_holds_nobody_up_and_is_taken_in_by_the_program_that_can() {
    let house = House::build().await;
    let (newer, other) = (house.order("approve").await, house.order("approve").await);
    let known: String = sqlx::query_scalar("SELECT type FROM log.events WHERE stream = $1 AND version = 1")
        .bind(StreamId::payment(newer.payment_id).as_str())
        .fetch_one(&house.database.pool)
        .await
        .unwrap();
    rename(&house, &newer, "PaymentRequestedInSpace").await;
    let old = house.run();
    house.until_order(&other, Status::Confirmed).await;
    house.quiet().await;
    let stream = StreamId::payment(newer.payment_id).as_str().to_owned();
    assert_eq!(unread(&house).await, [(stream, "PaymentRequestedInSpace".to_owned())]);
    assert_eq!(house.gateway.count(newer.payment_id, "authorised").await, 0);
    old.stop().await;
    rename(&house, &newer, &known).await;
    let new = house.run_elsewhere().await;
    house.until_order(&newer, Status::Confirmed).await;
    house.quiet().await;
    assert_eq!(house.gateway.count(newer.payment_id, "authorised").await, 1);
    assert!(unread(&house).await.is_empty());
    new.stop().await;
}

/// Nobody waits for ever for what a failover has lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_and_was_lost_is_forgotten() {
    let house = House::build().await;
    sqlx::query(
        "INSERT INTO process.unread (position, event_id, stream, type, error)
         VALUES (1, gen_random_uuid(), 'order-1', 'X', ''), (1000000, gen_random_uuid(), 'order-2', 'X', '')",
    )
    .execute(&house.database.pool)
    .await
    .unwrap();
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    running.stop().await;
    assert!(unread(&house).await.is_empty());
}
