//! A batch is sent behind one that is not answered yet, decided on what that one will leave.

use std::time::Duration;

use command_api::engine::{Engine, Receipt};
use domain::text::Sku;
use event_store::EventStore;
use event_store::testing::TestDatabase;
use sqlx::{Postgres, Transaction};
use tokio::task::JoinHandle;

use crate::given::{ask, assert_gapless, engine, product as on_sale, receive, sku, stock_in_log};

/// Rounds in which the second command may come too late to be sent behind the first.
const ROUNDS_MAX: u32 = 200;
/// Rounds in which it was not.
const ENOUGH: u32 = 5;
const DEADLINE: Duration = Duration::from_secs(30);

fn receive_one(engine: &Engine, sku: &Sku) -> JoinHandle<Receipt> {
    let (engine, command) = (engine.clone(), receive(sku, 1));
    tokio::spawn(async move { ask(&engine, command).await.unwrap() })
}

/// Until so many wait for the lock of the head.
async fn wait_for_the_head(store: &EventStore, count: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND wait_event_type = 'Lock' AND query LIKE '%log.%'";
    let they_wait = async {
        while sqlx::query_scalar::<_, i64>(sql).fetch_one(store.pool()).await.unwrap() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, they_wait).await.expect("they wait for the head");
}

/// Holds the lock of the head until it ends.
async fn hold_the_head(store: &EventStore) -> Transaction<'static, Postgres> {
    let mut lock = store.pool().begin().await.unwrap();
    sqlx::query("SELECT FROM log.head FOR UPDATE").execute(&mut *lock).await.unwrap();
    lock
}

/// As long as a few questions take: a command is decided and sent by then, nearly always.
async fn a_moment(store: &EventStore) {
    for _ in 0..5 {
        store.head().await.unwrap();
    }
}

/// Whether the last statement of a connection was one that appends behind another.
async fn went_behind(store: &EventStore) -> bool {
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
               AND query LIKE 'WITH head AS %e.event_id = $24%')";
    sqlx::query_scalar(sql).fetch_one(store.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_an_append_is_on_its_way_goes_behind_it() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, sku) = (engine(&store), sku());
    on_sale(&engine, &sku, 0).await;
    let (mut rounds, mut behind) = (0, 0);
    while behind < ENOUGH && rounds < ROUNDS_MAX {
        let lock = hold_the_head(&store).await;
        let first = receive_one(&engine, &sku);
        wait_for_the_head(&store, 1).await;
        let second = receive_one(&engine, &sku);
        a_moment(&store).await;
        lock.commit().await.unwrap();
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        assert_eq!(first.head.position.0 + 1, second.head.position.0);
        assert_eq!(first.version.unwrap() + 1, second.version.unwrap());
        rounds += 1;
        behind += u32::from(went_behind(&store).await);
    }
    assert_eq!(behind, ENOUGH, "in {rounds} rounds");
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 2 * i64::from(rounds));
    assert_gapless(&store).await;
}

/// Another node is first, and brings the log to where the batch in front would have left it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_behind_one_that_is_not_appended_is_decided_again() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let elsewhere = database.another_node(&store).await;
    let sku = sku();
    on_sale(&engine(&store), &sku, 0).await;
    let (mut rounds, mut behind) = (0, 0);
    while behind < ENOUGH && rounds < ROUNDS_MAX {
        // Nodes that know nothing of each other yet, so that each thinks that nobody disturbs it.
        let (here, there) = (database.another_node(&store).await, database.another_node(&elsewhere).await);
        let (one, other) = (engine(&here), engine(&there));
        receive_one(&one, &sku).await.unwrap();
        let lock = hold_the_head(&store).await;
        let between = receive_one(&other, &sku);
        wait_for_the_head(&store, 1).await;
        let first = receive_one(&one, &sku);
        wait_for_the_head(&store, 2).await;
        let second = receive_one(&one, &sku);
        // What was sent in vain must wait before it is sent again, over the same connection: until then it can be seen.
        let then = tokio::spawn({
            let store = store.clone();
            async move { hold_the_head(&store).await }
        });
        wait_for_the_head(&store, 3).await;
        a_moment(&store).await;
        lock.commit().await.unwrap();
        let lock = then.await.unwrap();
        a_moment(&store).await;
        behind += u32::from(went_behind(&store).await);
        lock.commit().await.unwrap();
        for asked in [between, first, second] {
            asked.await.unwrap();
        }
        rounds += 1;
    }
    assert_eq!(behind, ENOUGH, "in {rounds} rounds");
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 4 * i64::from(rounds));
    assert_gapless(&store).await;
}
