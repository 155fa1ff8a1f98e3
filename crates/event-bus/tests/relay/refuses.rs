//! What a relay must not publish, or must not publish there: it stops and says what is wrong and where.

use event_bus::relay::Error;
use event_bus::topics;
use event_store::{Filter, Position};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::message::OwnedHeaders;
use sqlx::AssertSqlSafe;

use super::stage::Relayed;
use crate::given::shop;
use crate::published::{Publisher, kafka_at};
use crate::stage::brokers;

async fn published() -> Relayed {
    let relayed = Relayed::new().await;
    shop(&relayed.store, 5, 5).await;
    let running = relayed.start();
    relayed.stored().await;
    running.stop().await;
    relayed
}

/// Changes the log as only somebody who may do everything can.
async fn tamper(relayed: &Relayed, sql: &str) {
    let mut connection = relayed.database.pool.acquire().await.unwrap();
    for statement in ["SET session_replication_role = replica", sql, "RESET session_replication_role"] {
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *connection).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_another_epoch() {
    let relayed = published().await;
    let known = relayed.store.head().await.unwrap();
    let found = relayed.store.bump_epoch().await.unwrap();
    let error = relayed.refused().await;
    assert!(!error.passes());
    let said = error.to_string();
    for part in [known.epoch.to_string(), found.epoch.to_string(), known.position.to_string()] {
        assert!(said.contains(&part), "{part} is not in {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_gets_another_epoch_while_it_is_published() {
    let relayed = Relayed::new().await;
    let running = relayed.start();
    shop(&relayed.store, 2, 2).await;
    relayed.stored().await;
    relayed.store.bump_epoch().await.unwrap();
    assert!(matches!(running.ended().await, Err(Error::Epoch { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_has_another_event_than_the_topic() {
    let relayed = published().await;
    let last = relayed.store.head().await.unwrap().position;
    tamper(&relayed, &format!("UPDATE log.events SET event_id = gen_random_uuid() WHERE position = {last}"))
        .await;
    let error = relayed.refused().await;
    assert!(
        matches!(&error, Error::OtherEvent { position, known: Some(_), .. } if *position == last),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_has_lost_events() {
    let relayed = published().await;
    let last = relayed.store.head().await.unwrap().position;
    tamper(&relayed, "UPDATE log.head SET position = position - 2").await;
    assert!(matches!(relayed.refused().await, Error::Behind { published, .. } if published == last));
    // The checkpoint is gone as well: the topics know.
    tamper(&relayed, "DELETE FROM relay.partitions").await;
    tamper(&relayed, "DELETE FROM relay.checkpoints").await;
    tamper(&relayed, &format!("DELETE FROM log.events WHERE position > {last} - 2")).await;
    let error = relayed.refused().await;
    assert!(matches!(error, Error::OtherEvent { known: None, .. } | Error::Behind { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_a_gap() {
    let relayed = Relayed::new().await;
    shop(&relayed.store, 5, 1).await;
    tamper(&relayed, "DELETE FROM log.events WHERE position = 7").await;
    let error = relayed.refused().await;
    assert!(matches!(error, Error::Gap { after: Position(6), found: Position(8) }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_of_another_log() {
    let relayed = published().await;
    let other = Relayed::on(relayed.kafka.clone()).await;
    shop(&other.store, 5, 5).await;
    let error = other.refused().await;
    let epoch = relayed.store.head().await.unwrap().epoch;
    assert!(matches!(&error, Error::OtherLog { found, .. } if *found == epoch), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_others_write_to() {
    let relayed = published().await;
    let publisher = Publisher::new(&relayed.kafka);
    let raw = relayed.store.read_raw(Position(0), 1, &Filter::default()).await.unwrap().remove(0);
    let lane = event_store::Lane::of(&raw.stream, relayed.kafka.partitions);
    publisher.produce(lane, None, "hello", OwnedHeaders::new()).await;
    let error = relayed.refused().await.to_string();
    assert!(error.contains("it has no headers") && error.contains("offset"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_number_of_partitions() {
    let mut relayed = published().await;
    relayed.kafka.partitions = 4;
    let error = relayed.refused().await;
    assert!(matches!(error, Error::Topics(topics::Error::Partitions { configured: 4, found: 3, .. })));
    assert!(error.to_string().contains("kafka_partitions"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_copies_than_brokers() {
    let mut kafka = kafka_at(brokers());
    kafka.replication = 9;
    let error = topics::prepare(&kafka).await.unwrap_err();
    assert!(!error.passes() && error.to_string().contains("kafka_replication is 9"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_may_lose_what_they_have_acknowledged() {
    let relayed = published().await;
    let admin: AdminClient<_> = relayed.kafka.admin().create_with_context(relayed.kafka.session()).unwrap();
    let orders = relayed.kafka.name(event_store::Topic::Orders);
    let unclean =
        AlterConfig::new(ResourceSpecifier::Topic(&orders)).set("unclean.leader.election.enable", "true");
    let altered = admin.alter_configs(&[unclean], &AdminOptions::new()).await.unwrap();
    altered[0].as_ref().unwrap();
    let error = relayed.refused().await;
    assert!(matches!(&error, Error::Topics(topics::Error::Unclean { topic }) if *topic == orders), "{error}");
}

/// Nobody listens there: that passes, and the error names the key.
#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_away_are_waited_for() {
    let kafka = kafka_at("127.0.0.1:1".to_owned());
    let error = topics::prepare(&kafka).await.unwrap_err();
    assert!(error.passes() && error.to_string().contains("kafka_brokers"), "{error}");
}
