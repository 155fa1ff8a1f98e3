//! The broker is killed and comes back.

use std::sync::Arc;

use event_bus::KafkaFeed;
use event_bus::topics::prepare;
use event_store::{Position, Topic};

use crate::given::shop;
use crate::kept::Kept;
use crate::published::{Publisher, kafka_at};
use crate::stage::{GROUP, Stage, said, stack};

/// A broker of its own, in a folder of its own.
pub(crate) struct Broker(pub(crate) String);

impl Broker {
    pub(crate) fn start() -> (Self, String) {
        let folder = format!("test-broker-{}", uuid::Uuid::now_v7().simple());
        let environment = stack(&folder, &["up", "--only", "kafka"]);
        (Self(folder), said(&environment, "JUMUN_TEST_KAFKA_BROKERS"))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        stack(&self.0, &["down", "--remove"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_comes_back_and_nothing_is_lost() {
    let (broker, brokers) = Broker::start();
    let mut stage = Stage::log().await;
    let kafka = kafka_at(brokers);
    prepare(&kafka).await.unwrap();
    stage.publisher = Some(Publisher::new(&kafka));
    let kept = Arc::new(Kept::default());
    let store = stage.store.clone();
    let mut feed = KafkaFeed::open(store, &kafka, GROUP, &Topic::ALL, kept.clone()).await.unwrap();
    shop(&stage.store, 10, 5).await;
    stage.published().await;
    stage.follow(&mut feed, &kept).await;
    shop(&stage.store, 10, 5).await;
    let publisher = stage.publisher.as_mut().unwrap();
    let envelopes = publisher.envelopes(&stage.store).await;
    let half = envelopes.len() / 2;
    publisher.send_all(&envelopes[..half]).await;
    stack(&broker.0, &["kill", "kafka-1"]);
    let sent = publisher.send_all(&envelopes[half..]);
    let back = tokio::task::spawn_blocking({
        let folder = broker.0.clone();
        move || stack(&folder, &["start", "kafka-1"])
    });
    let (_, back) = tokio::join!(sent, back);
    back.unwrap();
    publisher.watermarks(envelopes[0].epoch).await;
    stage.follow(&mut feed, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}
