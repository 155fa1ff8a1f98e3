//! A relay that dies at any point: the next one goes on where the partitions end.

use std::time::Duration;

use event_bus::relay::Options;
use rdkafka::admin::{AdminClient, AdminOptions};

use super::stage::Relayed;
use crate::given::shop;

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_published_while_it_grows_and_every_partition_knows_how_far_it_is() {
    let relayed = Relayed::new().await;
    shop(&relayed.store, 10, 5).await;
    let running = relayed.start();
    // One item of stock and one cart: most partitions get nothing but watermarks.
    shop(&relayed.store, 1, 10).await;
    assert_eq!(relayed.is_the_log().await, 0);
    shop(&relayed.store, 10, 5).await;
    relayed.stored().await;
    running.stop().await;
    assert_eq!(relayed.is_the_log().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_it_dies_nothing_is_lost_and_nothing_is_twice_for_a_consumer() {
    let relayed = Relayed::new().await;
    // In places that follow from the number: from before it leads until after it has published.
    for round in 0..25_u64 {
        let running = relayed.start();
        shop(&relayed.store, 5, 3).await;
        tokio::time::sleep(Duration::from_millis(round * 37 % 300)).await;
        running.crash().await;
    }
    let running = relayed.start();
    relayed.is_the_log().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_and_not_stored_is_not_sent_again() {
    let relayed = Relayed::new().await;
    let never = Options { checkpoint_every: Duration::from_secs(3_600), ..relayed.options };
    for _ in 0..3 {
        shop(&relayed.store, 10, 5).await;
        let running = relayed.start_with(never);
        assert_eq!(relayed.is_the_log().await, 0);
        running.crash().await;
        assert!(relayed.checkpoint().await.1 < relayed.store.head().await.unwrap().position.0);
    }
    let running = relayed.start();
    relayed.stored().await;
    running.stop().await;
    assert_eq!(relayed.is_the_log().await, 0);
}

/// The database is restored from before the relay ever ran, or the checkpoint was deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_a_checkpoint_finds_what_is_there() {
    let relayed = Relayed::new().await;
    shop(&relayed.store, 10, 5).await;
    let running = relayed.start();
    relayed.stored().await;
    running.stop().await;
    for table in ["partitions", "checkpoints"] {
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM relay.{table}"));
        sqlx::query(sql).execute(&relayed.database.pool).await.unwrap();
    }
    shop(&relayed.store, 3, 5).await;
    let running = relayed.start();
    relayed.stored().await;
    running.stop().await;
    assert_eq!(relayed.is_the_log().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_were_deleted_are_filled_again() {
    let relayed = Relayed::new().await;
    shop(&relayed.store, 10, 5).await;
    let running = relayed.start();
    relayed.stored().await;
    running.stop().await;
    let admin: AdminClient<_> = relayed.kafka.admin().create_with_context(relayed.kafka.session()).unwrap();
    let stock = relayed.kafka.name(event_store::Topic::Stock);
    admin.delete_topics(&[&stock], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    shop(&relayed.store, 10, 5).await;
    let running = relayed.start();
    relayed.stored().await;
    assert_eq!(relayed.is_the_log().await, 0);
    running.stop().await;
}
