//! Read models rely on order within a stream only: the same events in any order that keeps each stream's own make the same rows,
//! in batches of any size, with repetitions, and by several workers at once.

mod shop;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use event_store::testing::TestDatabase;
use event_store::{Recorded, partition_of};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::Barrier;

use crate::{Error, ReadModel};

/// The rows of every table of every model.
type Rows = BTreeMap<&'static str, Vec<Value>>;

struct Fold {
    read: PgPool,
    _database: TestDatabase,
}

impl Fold {
    async fn begin() -> Self {
        let database = TestDatabase::create().await;
        crate::migrate(&database.pool).await.unwrap();
        Self { read: crate::connect(database.url.parse().unwrap(), 8).await.unwrap(), _database: database }
    }

    /// Applies these batches, and takes the rows away.
    async fn rows<'a>(&self, batches: impl IntoIterator<Item = &'a [Recorded]>) -> Rows {
        for batch in batches {
            for model in crate::models() {
                apply(&self.read, model.as_ref(), batch).await.unwrap();
            }
        }
        self.take().await
    }

    async fn take(&self) -> Rows {
        let mut rows = Rows::new();
        for table in crate::models().iter().flat_map(|model| model.tables()) {
            let sql = format!(
                "WITH gone AS (DELETE FROM {table} RETURNING *) SELECT to_jsonb(gone) FROM gone ORDER BY 1"
            );
            let all = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&self.read).await.unwrap();
            rows.insert(table, all);
        }
        rows
    }
}

async fn apply(read: &PgPool, model: &dyn ReadModel, events: &[Recorded]) -> Result<(), Error> {
    let mut transaction = read.begin().await?;
    model.apply(&mut transaction, events).await?;
    Ok(transaction.commit().await?)
}

/// Which tables differ, by their first row that does.
#[track_caller]
fn assert_same(found: &Rows, wanted: &Rows, of: &str) {
    for (table, wanted) in wanted {
        let found = &found[table];
        let odd = wanted.iter().find(|row| !found.contains(row));
        assert_eq!(found.len(), wanted.len(), "{of}: rows of {table}; one that is missing: {odd:#?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert_eq!(found, wanted, "{of}: {table}; left: found, right: in the order of the log");
        }
    }
}

/// Each stream's events, in their order.
fn streams(log: &[Recorded]) -> Vec<VecDeque<Recorded>> {
    let mut streams: BTreeMap<&str, VecDeque<Recorded>> = BTreeMap::new();
    for recorded in log {
        streams.entry(recorded.stream.as_str()).or_default().push_back(recorded.clone());
    }
    streams.into_values().collect()
}

/// Cuts into batches of any size.
fn cut<'a>(mut events: &'a [Recorded], chance: &mut StdRng) -> Vec<&'a [Recorded]> {
    let mut batches = Vec::new();
    while !events.is_empty() {
        let (batch, rest) = events.split_at(chance.random_range(1..=events.len().min(60)));
        batches.push(batch);
        events = rest;
    }
    batches
}

#[tokio::test]
async fn any_order_that_keeps_each_streams_own_makes_the_same_rows() {
    let fold = Fold::begin().await;
    for seed in 0..6 {
        let mut chance = StdRng::seed_from_u64(seed);
        let log = shop::log(&mut chance);
        let wanted = fold.rows(log.chunks(50)).await;
        assert!(wanted.values().filter(|rows| !rows.is_empty()).count() > 12, "a shop has rows of all kinds");
        // As far from the order of the log as can be: a stream after the other, the last one first.
        let one_by_one: Vec<Recorded> = streams(&log).into_iter().rev().flatten().collect();
        assert_same(
            &fold.rows(one_by_one.chunks(7)).await,
            &wanted,
            &format!("seed {seed}, stream by stream"),
        );
        for round in 0..2 {
            let mixed = shop::mixed(&mut chance, streams(&log));
            let batches = cut(&mixed, &mut chance);
            assert_same(&fold.rows(batches).await, &wanted, &format!("seed {seed}, round {round}"));
        }
    }
}

#[tokio::test]
async fn what_comes_again_changes_nothing_in_any_order() {
    let fold = Fold::begin().await;
    for seed in 100..106 {
        let mut chance = StdRng::seed_from_u64(seed);
        let log = shop::log(&mut chance);
        let wanted = fold.rows(log.chunks(50)).await;
        let mixed = shop::mixed(&mut chance, streams(&log));
        // A feed goes back to where it was stored, now and then, and repeats from there.
        let mut batches = Vec::new();
        let mut from = 0;
        while from < mixed.len() {
            let to = (from + chance.random_range(1..40)).min(mixed.len());
            let back = from.saturating_sub(chance.random_range(0..100));
            batches.push(&mixed[if chance.random_bool(0.5) { back } else { from }..to]);
            from = to;
        }
        batches.push(&mixed);
        assert_same(&fold.rows(batches).await, &wanted, &format!("seed {seed}"));
    }
}

/// Applies the events of its streams, batch by batch. Two workers that stand in each other's way are no error: one tries again.
async fn work(read: PgPool, model: Box<dyn ReadModel>, events: Vec<Recorded>, together: Arc<Barrier>) -> u32 {
    let mut collisions = 0;
    together.wait().await;
    for batch in events.chunks(5) {
        while let Err(error) = apply(&read, model.as_ref(), batch).await {
            assert!(error.is_outage(), "{}: {error}", model.name());
            collisions += 1;
        }
    }
    collisions
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_at_once_make_the_same_rows() {
    const WORKERS: u32 = 3;
    let fold = Fold::begin().await;
    let mut collisions = 0;
    for seed in 200..206 {
        let mut chance = StdRng::seed_from_u64(seed);
        let log = shop::log(&mut chance);
        let wanted = fold.rows(log.chunks(50)).await;
        for index in 0..crate::models().len() {
            let together = Arc::new(Barrier::new(WORKERS as usize));
            let working: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let mine =
                        |recorded: &&Recorded| partition_of(recorded.stream.as_str(), WORKERS) == worker;
                    let events: Vec<Recorded> = log.iter().filter(mine).cloned().collect();
                    let model = crate::models().remove(index);
                    tokio::spawn(work(fold.read.clone(), model, events, together.clone()))
                })
                .collect();
            for worker in working {
                collisions += worker.await.unwrap();
            }
        }
        assert_same(&fold.take().await, &wanted, &format!("seed {seed}"));
    }
    assert!(collisions < 500, "locks are taken in one order: {collisions} collisions");
}
