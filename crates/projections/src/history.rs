//! A real log with read models over it, for tests.

use std::collections::HashMap;
use std::time::Duration;

use chrono::DateTime;
use domain::{Actor, Event, StreamId};
use event_store::testing::TestDatabase;
use event_store::{Batch, CommandKey, EventStore, Metadata, Outcome, Position, Proposed};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::projector::{self, Follow, Projector};
use crate::{Error, ReadModel};

/// What a test waits for at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// A log and its read models.
pub(crate) struct History {
    pub(crate) store: EventStore,
    pub(crate) read: PgPool,
    pub(crate) database: TestDatabase,
    versions: HashMap<StreamId, u32>,
}

/// A projector that runs.
pub(crate) struct Running {
    shutdown: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), Error>>,
}

impl Running {
    /// Lets a projector run.
    pub(crate) fn start(projector: Projector) -> Self {
        let shutdown = CancellationToken::new();
        let until = shutdown.clone();
        Self { task: tokio::spawn(async move { projector.run(&until).await }), shutdown }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").unwrap()
    }
}

/// When a test has waited long enough.
pub(crate) fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

impl History {
    /// An empty log, and read models that nobody has folded yet.
    pub(crate) async fn begin() -> Self {
        let database = TestDatabase::create().await;
        crate::migrate(&database.pool).await.unwrap();
        let read = crate::connect(database.url.parse().unwrap(), 8).await.unwrap();
        Self { store: database.store().await, read, database, versions: HashMap::new() }
    }

    /// This happens too, by one command. Answers the position of its last event.
    pub(crate) async fn append(&mut self, events: impl IntoIterator<Item = (StreamId, Event)>) -> Position {
        let mut reads = HashMap::new();
        let events: Vec<(StreamId, u32, Event)> = events
            .into_iter()
            .map(|(stream, event)| {
                let version = self.versions.entry(stream.clone()).or_insert(0);
                reads.entry(stream.clone()).or_insert(*version);
                *version += 1;
                (stream, *version, event)
            })
            .collect();
        let command = Proposed {
            key: CommandKey { scope: 0, id: Uuid::now_v7() },
            fingerprint: [1; 32],
            metadata: Metadata {
                correlation_id: Uuid::now_v7(),
                causation_id: None,
                actor: Actor::system("test"),
                traceparent: None,
            },
            answer: "{}".to_owned(),
            at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            record: true,
            events,
            reads: reads.into_iter().collect(),
        };
        let known = self.store.head().await.unwrap();
        let batch = Batch { known, node: Uuid::now_v7(), commands: vec![command] };
        match &self.store.append(&batch).await.unwrap().outcomes[..] {
            [Outcome::Appended { last, .. }] => *last,
            other => panic!("{other:?}"),
        }
    }

    /// A projector of these models that does what a test tells it to.
    pub(crate) fn projector(&self, models: Vec<Box<dyn ReadModel>>) -> Projector {
        Projector::new(self.read.clone(), self.store.clone(), models)
    }

    /// A projector of these models that runs.
    pub(crate) fn run(&self, models: Vec<Box<dyn ReadModel>>) -> Running {
        Running::start(self.projector(models))
    }

    /// A projector of these models that runs, and follows these partitions of every topic.
    pub(crate) fn follow(
        &self,
        models: impl Fn() -> Vec<Box<dyn ReadModel>> + Send + Sync + 'static,
        follow: Follow,
    ) -> Running {
        let shutdown = CancellationToken::new();
        let (read, store, until) = (self.read.clone(), self.store.clone(), shutdown.clone());
        let task = tokio::spawn(async move {
            Box::pin(projector::fold(&read, &store, || Ok(models()), follow, &until)).await
        });
        Running { shutdown, task }
    }

    /// All read models are folded up to the end of the log.
    pub(crate) async fn fold(&self) {
        let running = self.run(crate::models());
        for model in crate::models() {
            self.reaches(model.name()).await;
        }
        running.stop().await.unwrap();
    }

    /// Waits until a model is at the end of the log.
    pub(crate) async fn reaches(&self, model: &str) {
        let head = self.store.head().await.unwrap().position;
        let reached = crate::reached(&self.read, model, head, deadline()).await.unwrap();
        assert!(reached, "{model} does not reach {head}");
    }

    /// How far a model is. `None`: it was never folded.
    pub(crate) async fn position(&self, model: &str) -> Option<u64> {
        let progress = crate::progress(&self.read).await.unwrap();
        progress.iter().find(|each| each.name == model).map(|each| each.position().0)
    }

    /// Does something to the database that nobody may do.
    pub(crate) async fn damage(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.database.pool).await.unwrap();
    }
}
