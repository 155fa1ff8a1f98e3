//! The broker is killed in the middle, and brokers that are reached by TLS and SCRAM.

use event_bus::connection::{Kafka, Security};

use super::stage::Relayed;
use crate::broker_killed::Broker;
use crate::given::shop;
use crate::published::kafka_at;
use crate::stage::{stack, stack_says};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_comes_back_and_everything_is_published_once() {
    let (broker, brokers) = Broker::start();
    let relayed = Relayed::on(kafka_at(brokers)).await;
    let running = relayed.start();
    shop(&relayed.store, 20, 5).await;
    relayed.stored().await;
    for _ in 0..2 {
        let (folder, store) = (broker.0.clone(), relayed.store.clone());
        let appended = tokio::spawn(async move { shop(&store, 40, 20).await });
        let restarted = tokio::task::spawn_blocking(move || {
            stack(&folder, &["kill", "kafka-1"]);
            stack(&folder, &["start", "kafka-1"]);
        });
        let (appended, restarted) = tokio::join!(appended, restarted);
        appended.unwrap();
        restarted.unwrap();
        relayed.stored().await;
    }
    running.stop().await;
    relayed.is_the_log().await;
}

async fn relays(kafka: Kafka) {
    let relayed = Relayed::on(kafka).await;
    shop(&relayed.store, 5, 5).await;
    let running = relayed.start();
    relayed.stored().await;
    running.stop().await;
    assert_eq!(relayed.is_the_log().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_are_reached_by_tls() {
    let ca = Some(stack_says("JUMUN_TEST_KAFKA_CA_FILE").into());
    let kafka = kafka_at(stack_says("JUMUN_TEST_KAFKA_TLS_BROKERS"));
    relays(Kafka { security: Security::Tls { ca }, ..kafka }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_are_reached_by_scram() {
    let (username, password) =
        (stack_says("JUMUN_TEST_KAFKA_USERNAME"), stack_says("JUMUN_TEST_KAFKA_PASSWORD"));
    let kafka = kafka_at(stack_says("JUMUN_TEST_KAFKA_SCRAM_BROKERS"));
    let scram = |password: String| Kafka {
        security: Security::Scram {
            ca: Some(stack_says("JUMUN_TEST_KAFKA_CA_FILE").into()),
            username: username.clone(),
            password: password.into(),
        },
        ..kafka.clone()
    };
    relays(scram(password)).await;
    let error = event_bus::topics::prepare(&scram("wrong".to_owned())).await.unwrap_err();
    assert!(error.passes(), "somebody may be about to change it: {error}");
}
