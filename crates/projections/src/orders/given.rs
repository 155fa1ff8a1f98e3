//! Tests of read models read `given(model, events).when(event).then(row)`, on a real database.

use std::collections::HashMap;

use chrono::{DateTime, Duration};
use domain::{Actor, Event, StreamId, Time};
use event_store::testing::TestDatabase;
use event_store::{Metadata, Position, Recorded};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::ReadModel;

/// A read model that has seen some events.
pub(crate) struct Given<M> {
    pub(crate) pool: PgPool,
    model: M,
    recorded: Vec<Recorded>,
    versions: HashMap<StreamId, u32>,
    _database: TestDatabase,
}

/// The time of the event at a position: a second apart, so that a test can name it.
pub(crate) fn at(position: u64) -> Time {
    let first: Time = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    first + Duration::seconds(position as i64)
}

/// A read model that has seen these events in one batch.
pub(crate) async fn given<M: ReadModel>(
    model: M,
    events: impl IntoIterator<Item = (StreamId, Event)>,
) -> Given<M> {
    let database = TestDatabase::create().await;
    crate::migrate(&database.pool).await.unwrap();
    let options: PgConnectOptions = database.url.parse().unwrap();
    let pool = PgPoolOptions::new().connect_with(options.options([("search_path", "read")])).await.unwrap();
    let given = Given { pool, model, recorded: Vec::new(), versions: HashMap::new(), _database: database };
    given.when(events).await
}

impl<M: ReadModel> Given<M> {
    /// It sees these events too, in one batch.
    pub(crate) async fn when(mut self, events: impl IntoIterator<Item = (StreamId, Event)>) -> Self {
        self.sees(events).await;
        self
    }

    /// The same.
    pub(crate) async fn sees(&mut self, events: impl IntoIterator<Item = (StreamId, Event)>) {
        let seen = self.recorded.len();
        for (stream, event) in events {
            let recorded = self.recorded(stream, event);
            self.recorded.push(recorded);
        }
        self.apply(&self.recorded[seen..]).await;
    }

    /// It sees everything once more, as one batch and then one by one: nothing may change.
    pub(crate) async fn and_again(self) -> Self {
        let before = self.everything().await;
        self.apply(&self.recorded).await;
        for recorded in &self.recorded {
            self.apply(std::slice::from_ref(recorded)).await;
        }
        assert_eq!(self.everything().await, before, "the same events twice change something");
        self
    }

    /// A fresh fold of these events, which are what the log says now, is equal to the rows that are there.
    pub(crate) async fn equals_fresh(self, events: impl IntoIterator<Item = (StreamId, Event)>) -> Self
    where
        M: Copy,
    {
        let mut fresh = given(self.model, []).await;
        for (stream, event) in events {
            fresh = fresh.when([(stream, event)]).await;
        }
        assert_eq!(self.everything().await, fresh.everything().await, "left: live, right: a fresh fold");
        self
    }

    /// The one row that this query finds, as JSON, has these members.
    #[track_caller]
    pub(crate) fn then(self, table: &str, members: Value) -> impl Future<Output = Self> {
        let caller = std::panic::Location::caller();
        let table = table.to_owned();
        async move {
            let rows = self.rows(&table).await;
            let [row] = rows.as_slice() else {
                panic!("{caller}: {table} has {} rows: {rows:#?}", rows.len())
            };
            for (name, member) in members.as_object().unwrap() {
                assert_eq!(row.get(name), Some(member), "{caller}: {name} of {row:#}");
            }
            self
        }
    }

    pub(crate) async fn rows(&self, table: &str) -> Vec<Value> {
        let sql = format!("SELECT to_jsonb(t) FROM {table} t ORDER BY 1");
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.pool).await.unwrap()
    }

    async fn everything(&self) -> Vec<(&'static str, Vec<Value>)> {
        let mut all = Vec::new();
        for table in self.model.tables() {
            all.push((*table, self.rows(table).await));
        }
        all
    }

    async fn apply(&self, recorded: &[Recorded]) {
        let mut transaction = self.pool.begin().await.unwrap();
        self.model.apply(&mut transaction, recorded).await.unwrap();
        transaction.commit().await.unwrap();
    }

    fn recorded(&mut self, stream: StreamId, event: Event) -> Recorded {
        let position = self.recorded.len() as u64 + 1;
        let version = self.versions.entry(stream.clone()).or_insert(0);
        *version += 1;
        Recorded {
            position: Position(position),
            event_id: Uuid::from_u128(u128::from(position)),
            stream,
            version: *version,
            type_name: event.type_name().to_owned(),
            schema_version: event.schema_version(),
            recorded_at: at(position),
            command_id: Uuid::from_u128(u128::from(position)),
            metadata: Metadata {
                correlation_id: Uuid::from_u128(1),
                causation_id: None,
                actor: Actor::system("test"),
                traceparent: None,
            },
            event,
        }
    }
}
