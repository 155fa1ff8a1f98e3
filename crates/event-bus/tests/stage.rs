//! A log, and a way to follow it: itself, or by Kafka.

use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use event_bus::{KafkaFeed, relay};
use event_store::testing::TestDatabase;
use event_store::{EventStore, Feed, Lane, Position, Topic};

use tokio_util::sync::{CancellationToken, DropGuard};

use crate::kept::Kept;
use crate::published::{PARTITIONS, Publisher, topics};

/// Nothing here takes longer when it works.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
pub(crate) const GROUP: &str = "followers";

/// Runs `script/stack` with its data in a folder of the target folder; what it says.
pub(crate) fn stack(folder: &str, arguments: &[&str]) -> String {
    let own = std::env::current_exe().unwrap();
    let folder = own.ancestors().nth(3).unwrap().join(folder);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../script/stack");
    let output = Command::new(script).args(arguments).arg("--data-dir").arg(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A value of the stack's environment: this process's own, else that of the stack that all tests of a target folder share.
pub(crate) fn stack_says(key: &str) -> String {
    static SHARED: OnceLock<String> = OnceLock::new();
    if let Ok(value) = std::env::var(key) {
        return value;
    }
    let shared = SHARED.get_or_init(|| stack("test-stack", &["up", "--only", "kafka"]));
    said(shared, key)
}

pub(crate) fn said(environment: &str, key: &str) -> String {
    let value = environment.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_else(|| panic!("the stack says no {key}")).to_owned()
}

/// The broker that all tests share.
pub(crate) fn brokers() -> String {
    stack_says("JUMUN_TEST_KAFKA_BROKERS")
}

pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) store: EventStore,
    pub(crate) publisher: Option<Publisher>,
    /// The relay publishes by itself, until this is dropped.
    relay: Option<DropGuard>,
}

impl Stage {
    pub(crate) async fn log() -> Self {
        let database = TestDatabase::create().await;
        let store = database.store().await;
        Self { database, store, publisher: None, relay: None }
    }

    pub(crate) async fn kafka() -> Self {
        let publisher = Some(Publisher::new(&topics().await));
        Self { publisher, ..Self::log().await }
    }

    /// With a relay.
    pub(crate) async fn relayed() -> Self {
        let mut stage = Self::kafka().await;
        relay::migrate(&stage.database.pool).await.unwrap();
        let kafka = stage.publisher.as_ref().unwrap().kafka.clone();
        let shutdown = CancellationToken::new();
        tokio::spawn(relay::run(stage.store.clone(), kafka, relay::Options::default(), shutdown.clone()));
        stage.relay = Some(shutdown.drop_guard());
        stage
    }

    pub(crate) fn lanes(&self) -> Vec<Lane> {
        if self.publisher.is_some() { Lane::all(PARTITIONS).collect() } else { vec![Lane::Log] }
    }

    /// What is in the log can be followed now.
    pub(crate) async fn published(&mut self) {
        if let (Some(publisher), None) = (&mut self.publisher, &self.relay) {
            publisher.publish(&self.store).await;
        }
    }

    pub(crate) async fn feed(&self, kept: &Arc<Kept>) -> Box<dyn Feed> {
        match &self.publisher {
            None => Box::new(self.store.follow(kept.clone())),
            Some(_) => Box::new(self.kafka_feed(kept).await),
        }
    }

    pub(crate) async fn kafka_feed(&self, kept: &Arc<Kept>) -> KafkaFeed {
        let kafka = &self.publisher.as_ref().unwrap().kafka;
        KafkaFeed::open(self.store.clone(), kafka, GROUP, &Topic::ALL, kept.clone()).await.unwrap()
    }

    pub(crate) async fn head(&self) -> Position {
        self.store.head().await.unwrap().position
    }

    /// Follows until everything in the log is taken.
    pub(crate) async fn follow(&self, feed: &mut dyn Feed, kept: &Kept) {
        let head = self.head().await;
        while kept.position(self.lanes()) < head {
            let deliveries = tokio::time::timeout(DEADLINE, feed.next()).await.expect("events in time");
            kept.take(deliveries.unwrap());
        }
    }
}
