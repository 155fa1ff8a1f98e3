//! A read model that notices when an event is applied twice or left out, and does what a test tells it to.

use std::sync::{Arc, Mutex};

use domain::ids::ProductId;
use domain::text::Sku;
use domain::{Event, StreamId, stock};
use event_store::Recorded;
use futures::future::BoxFuture;
use sqlx::PgConnection;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::history::History;
use crate::{Error, ReadModel};

/// What a tally cannot take.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Refuses {
    #[default]
    Nothing,
    /// The event at this position.
    One(u64),
    /// The same, by a panic.
    Panicking(u64),
    Everything,
}

/// Writes down the position of every event it sees, as often as it sees it.
#[derive(Clone)]
pub(crate) struct Tally {
    pub(crate) name: &'static str,
    pub(crate) version: i32,
    /// What it cannot take.
    pub(crate) refuses: Arc<Mutex<Refuses>>,
    /// A batch needs one of these after its rows are written; closed: none is needed.
    pub(crate) gate: Arc<Semaphore>,
}

impl Tally {
    pub(crate) fn named(name: &'static str) -> Self {
        let gate = Arc::new(Semaphore::new(0));
        gate.close();
        Self { name, version: 1, refuses: Arc::default(), gate }
    }

    pub(crate) fn models(&self) -> Vec<Box<dyn ReadModel>> {
        vec![Box::new(self.clone())]
    }
}

impl ReadModel for Tally {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tables(&self) -> &'static [&'static str] {
        match self.name {
            "first" => &["tally_first"],
            _ => &["tally_second"],
        }
    }

    fn version(&self) -> i32 {
        self.version
    }

    fn topics(&self) -> &'static [event_store::Topic] {
        &event_store::Topic::ALL
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let refused = *self.refuses.lock().unwrap();
            for event in events {
                match refused {
                    Refuses::Panicking(position) if position == event.position.0 => panic!("almonds"),
                    Refuses::One(position) if position != event.position.0 => {}
                    Refuses::Nothing | Refuses::Panicking(_) => {}
                    _ => return Err(Error::Corrupt("it tastes of almonds".to_owned())),
                }
                let sql = format!("INSERT INTO {} VALUES ($1)", self.tables()[0]);
                sqlx::query(sqlx::AssertSqlSafe(sql))
                    .bind(i64::from(event.position))
                    .execute(&mut *connection)
                    .await?;
            }
            if let Ok(permit) = self.gate.acquire().await {
                permit.forget();
            }
            Ok(())
        })
    }
}

/// A log of so many events, and the tables of two tallies.
pub(crate) async fn history(events: u32) -> History {
    let mut history = History::begin().await;
    history
        .damage(
            "CREATE TABLE read.tally_first (position bigint NOT NULL);
             CREATE TABLE read.tally_second (position bigint NOT NULL)",
        )
        .await;
    if events > 0 {
        history.append((0..events).map(|_| something())).await;
    }
    history
}

/// Something that happens.
pub(crate) fn something() -> (StreamId, Event) {
    let sku = Sku::parse(&Uuid::now_v7().simple().to_string()).unwrap();
    let listed = stock::Listed { sku: sku.clone(), product_id: ProductId(Uuid::now_v7()) };
    (StreamId::stock(&sku), Event::Stock(listed.into()))
}

/// Something that happens to this item.
pub(crate) fn received(item: &str) -> (StreamId, Event) {
    let event = stock::Received { quantity: 1, reason: "delivery".to_owned() };
    (StreamId::stock(&Sku::parse(item).unwrap()), Event::Stock(event.into()))
}

/// The positions that a tally has seen, each as often as it was applied.
pub(crate) async fn seen(history: &History, name: &str) -> Vec<i64> {
    let sql = format!("SELECT position FROM tally_{name} ORDER BY position");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&history.read).await.unwrap()
}

/// How many projectors have written rows of a tally in a transaction that is still open.
pub(crate) async fn inside(history: &History) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
         AND state = 'idle in transaction' AND query LIKE 'INSERT INTO tally%'",
    )
    .fetch_one(&history.database.pool)
    .await
    .unwrap()
}

/// How many projectors wait for another one's transaction.
pub(crate) async fn waiting(history: &History) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(&history.database.pool)
    .await
    .unwrap()
}
