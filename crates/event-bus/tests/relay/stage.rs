//! A log, topics of its own, and relays that come and go.

use std::time::{Duration, Instant};

use event_bus::connection::Kafka;
use event_bus::relay::{self, Error, Options};
use event_bus::verify;
use event_store::EventStore;
use event_store::testing::TestDatabase;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::published::kafka_at;
use crate::stage::{DEADLINE, brokers};

pub(crate) struct Relayed {
    pub(crate) database: TestDatabase,
    pub(crate) store: EventStore,
    pub(crate) kafka: Kafka,
    pub(crate) options: Options,
}

impl Relayed {
    pub(crate) async fn new() -> Self {
        Self::on(kafka_at(brokers())).await
    }

    pub(crate) async fn on(kafka: Kafka) -> Self {
        event_bus::topics::prepare(&kafka).await.unwrap();
        let database = TestDatabase::create().await;
        relay::migrate(&database.pool).await.unwrap();
        let store = database.store().await;
        let options = Options { lease: Duration::from_secs(1), ..Options::default() };
        Self { database, store, kafka, options }
    }

    pub(crate) fn start(&self) -> Running {
        self.start_with(self.options)
    }

    pub(crate) fn start_with(&self, options: Options) -> Running {
        let (store, kafka, stop) = (self.store.clone(), self.kafka.clone(), CancellationToken::new());
        let told = stop.clone();
        let task = Some(tokio::spawn(relay::run(store, kafka, options, told)));
        Running { stop, task }
    }

    /// Kafka says what the log says; how many records a consumer drops for it.
    pub(crate) async fn is_the_log(&self) -> u64 {
        let checks = verify::run(&self.store, &self.kafka, Duration::from_secs(20)).await.unwrap();
        assert!(checks.iter().all(|check| check.ok), "{checks:#?}");
        let read = &checks[3].detail;
        let repeated = read.split_once(", ").map(|(_, rest)| rest.split(' ').next().unwrap());
        repeated.map_or(0, |number| number.parse().unwrap())
    }

    /// What stands in the checkpoint's row: term, position, leader.
    pub(crate) async fn checkpoint(&self) -> (i64, u64, Option<uuid::Uuid>) {
        let row: Option<(i64, i64, Option<uuid::Uuid>)> =
            sqlx::query_as("SELECT term, position, leader FROM relay.checkpoints WHERE topics = $1")
                .bind(&self.kafka.topics)
                .fetch_optional(&self.database.pool)
                .await
                .unwrap();
        row.map_or((0, 0, None), |(term, position, leader)| (term, position.unsigned_abs(), leader))
    }

    /// Waits until all of the log is acknowledged and that is stored.
    pub(crate) async fn stored(&self) {
        let head = self.store.head().await.unwrap().position.0;
        let begun = Instant::now();
        while self.checkpoint().await.1 < head {
            assert!(begun.elapsed() < DEADLINE, "the checkpoint does not come to {head}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What a relay says that must not publish this.
    pub(crate) async fn refused(&self) -> Error {
        let running = self.start();
        running.ended().await.expect_err("a relay that refuses")
    }
}

/// A relay that runs.
pub(crate) struct Running {
    stop: CancellationToken,
    task: Option<JoinHandle<Result<(), Error>>>,
}

impl Running {
    /// Stops it as a signal does.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.ended().await.unwrap();
    }

    /// Stops it as a crash does.
    pub(crate) async fn crash(mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        let _ = task.await;
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(mut self) -> Result<(), Error> {
        let task = self.task.take().unwrap();
        tokio::time::timeout(DEADLINE, task).await.expect("an end in time").unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
