//! A node that is frozen in the middle of its work holds nobody up, and goes on correctly when it thaws.

use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use domain::text::Sku;
use event_store::testing::TestDatabase;
use event_store::{EventStore, MasterKey};
use sqlx::postgres::PgPoolOptions;

use crate::given::{ask, assert_gapless, engine, product, receive, sku, stock_in_log};

const ROLE: &str = "JUMUN_TEST_FROZEN_NODE";

/// Not a test of its own: the other node, when this binary runs as its own child.
#[tokio::test(flavor = "multi_thread")]
async fn the_node_that_is_frozen() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let [url, key, sku] = role.split('|').collect::<Vec<_>>()[..] else { panic!("{role}") };
    let pool = PgPoolOptions::new().max_connections(8).connect(url).await.unwrap();
    let store = EventStore::open(pool, MasterKey::parse(key).unwrap()).await.unwrap();
    let (engine, sku) = (engine(&store), Sku::parse(sku).unwrap());
    loop {
        futures::future::join_all((0..16).map(|_| ask(&engine, receive(&sku, 1)))).await;
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Process::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until the other node has appended so many events to the item.
async fn wait_for(store: &EventStore, sku: &Sku, pieces: i64) {
    let begun = Instant::now();
    while stock_in_log(store, sku).await.on_hand() < pieces {
        assert!(begun.elapsed() < Duration::from_secs(60), "the other node does not get on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_node_holds_nobody_up() {
    let database = TestDatabase::create().await;
    let master = MasterKey::generate();
    let store = database.store_with(MasterKey::parse(&master.to_hex()).unwrap()).await;
    let (engine, sku) = (engine(&store), sku());
    product(&engine, &sku, 0).await;
    let mut other = Process::new(std::env::current_exe().unwrap())
        .args(["engine_frozen::the_node_that_is_frozen", "--exact", "--nocapture"])
        .env(ROLE, format!("{}|{}|{sku}", database.url, master.to_hex()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut reached = 0;
    for _ in 0..5 {
        reached += 100;
        wait_for(&store, &sku, reached).await;
        signal(&other, "-STOP");
        for _ in 0..20 {
            let begun = Instant::now();
            ask(&engine, receive(&sku, 1)).await.unwrap();
            assert!(begun.elapsed() < Duration::from_secs(20), "a frozen node holds a lock");
        }
        reached = stock_in_log(&store, &sku).await.on_hand();
        signal(&other, "-CONT");
    }
    wait_for(&store, &sku, reached + 100).await;
    other.kill().unwrap();
    other.wait().unwrap();
    ask(&engine, receive(&sku, 1)).await.unwrap();
    assert_gapless(&store).await;
}
