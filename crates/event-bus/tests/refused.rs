//! What the start refuses.

use std::sync::Arc;

use event_bus::KafkaFeed;
use event_bus::connection::Kafka;
use event_store::testing::TestDatabase;
use event_store::{Error, Topic};

use crate::kept::Kept;
use crate::published::{kafka_at, topics};
use crate::stage::{GROUP, brokers};

async fn refused(kafka: &Kafka) -> Error {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    KafkaFeed::open(store, kafka, GROUP, &Topic::ALL, Arc::new(Kept::default())).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_number_of_partitions() {
    let kafka = Kafka { partitions: 5, ..topics().await };
    let error = refused(&kafka).await;
    assert!(!error.is_outage());
    let expected = format!("kafka_partitions is 5, but {} has 3 partitions", kafka.name(Topic::Customers));
    assert!(error.to_string().starts_with(&expected), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_are_not_there_yet_may_come() {
    assert!(refused(&kafka_at(brokers())).await.is_outage());
}
