//! A batch is sent behind one that is not answered yet, decided on what that one will leave.

use command_api::engine::{Engine, Receipt};
use domain::text::Sku;
use event_store::EventStore;
use event_store::testing::TestDatabase;
use sqlx::PgConnection;
use tokio::task::JoinHandle;

use crate::given::{ask, assert_gapless, engine, product as on_sale, receive, sku, stock_in_log};

/// Rounds in which the second command may come too late to be sent behind the first.
const ROUNDS_MAX: u32 = 200;
/// Rounds in which it was not.
const ENOUGH: u32 = 5;

fn receive_one(engine: &Engine, sku: &Sku) -> JoinHandle<Receipt> {
    let (engine, command) = (engine.clone(), receive(sku, 1));
    tokio::spawn(async move { ask(&engine, command).await.unwrap() })
}

/// Until so many appends wait for the lock of the head.
async fn appends_wait(store: &EventStore, count: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND wait_event_type = 'Lock' AND query LIKE '%UPDATE log.head%'";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(store.pool()).await.unwrap() < count {
        tokio::task::yield_now().await;
    }
}

async fn hold_the_head(connection: &mut PgConnection) {
    sqlx::query("SELECT FROM log.head FOR UPDATE").execute(connection).await.unwrap();
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
               AND pid <> pg_backend_pid() AND query LIKE '%e.event_id = $24%')";
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
        let mut lock = store.pool().begin().await.unwrap();
        hold_the_head(&mut lock).await;
        let first = receive_one(&engine, &sku);
        appends_wait(&store, 1).await;
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
        let mut lock = store.pool().begin().await.unwrap();
        hold_the_head(&mut lock).await;
        let between = receive_one(&other, &sku);
        appends_wait(&store, 1).await;
        let first = receive_one(&one, &sku);
        appends_wait(&store, 2).await;
        let second = receive_one(&one, &sku);
        a_moment(&store).await;
        lock.commit().await.unwrap();
        // What was sent in vain is sent again over the same connection, so this is looked for before that.
        let is_done = |asked: &JoinHandle<Receipt>| asked.is_finished();
        let mut went = went_behind(&store).await;
        while !went && ![&between, &first, &second].into_iter().all(is_done) {
            went = went_behind(&store).await;
        }
        for asked in [between, first, second] {
            asked.await.unwrap();
        }
        rounds += 1;
        behind += u32::from(went);
    }
    assert_eq!(behind, ENOUGH, "in {rounds} rounds");
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 4 * i64::from(rounds));
    assert_gapless(&store).await;
}
