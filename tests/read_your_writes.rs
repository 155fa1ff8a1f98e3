//! Ten thousand times something is written and asked for at once with the token of the answer: never is anything older shown, whichever
//! node is asked, and though a replica stands still now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;

use crate::shop::Shop;

const CLIENTS: u32 = 25;
const PAIRS_EACH: u32 = 400;
const STANDS: Duration = Duration::from_millis(600);
const RUNS: Duration = Duration::from_millis(400);

/// A replica that stands still now and then.
struct Pauses {
    stopped: Arc<AtomicBool>,
    running: JoinHandle<u32>,
}

impl Pauses {
    fn of(replica: String) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopped);
        let running = tokio::spawn(async move {
            let mut replica = PgConnection::connect(&replica).await.unwrap();
            let mut count = 0;
            while !told.load(Ordering::Relaxed) {
                sqlx::query("SELECT pg_wal_replay_pause()").execute(&mut replica).await.unwrap();
                tokio::time::sleep(STANDS).await;
                sqlx::query("SELECT pg_wal_replay_resume()").execute(&mut replica).await.unwrap();
                tokio::time::sleep(RUNS).await;
                count += 1;
            }
            count
        });
        Self { stopped, running }
    }

    /// How often it stood still. It runs again.
    async fn stop(self) -> u32 {
        self.stopped.store(true, Ordering::Relaxed);
        self.running.await.unwrap()
    }
}

/// Writes and asks; what was older than its token.
async fn client(shop: &Shop, staff: &str) -> Vec<String> {
    let sku = shop.product(staff, 1_000, 1).await;
    let (receipts, stock) = (format!("/v1/stock/{sku}/receipts"), format!("/v1/stock/{sku}"));
    let mut stale = Vec::new();
    for pieces in 2..PAIRS_EACH + 2 {
        let written = shop.post(&receipts, Some(staff), json!({"quantity": 1, "reason": "test"})).await.ok();
        let token = written.token.expect("a token");
        let shown = shop.get(&stock, None, Some(&token)).await.expect(200).body;
        if shown["on_hand"] != pieces {
            stale.push(format!("{pieces} wanted, shown: {shown}"));
        }
    }
    stale
}

/// Answers of a source that all query nodes have counted together.
async fn answered(shop: &Shop, source: &str) -> f64 {
    let line = format!("query_source_total{{source=\"{source}\"}} ");
    let mut sum = 0.0;
    for url in shop.query_urls() {
        let metrics = shop.http.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
        let counted = metrics.lines().find_map(|found| found.strip_prefix(&line)?.parse::<f64>().ok());
        sum += counted.unwrap_or(0.0);
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_times_what_was_written_is_read_at_once() {
    let shop = Shop::open().await;
    let (staff, replicas) = (shop.staff().await, shop.replica_urls());
    let pauses = replicas.first().cloned().map(Pauses::of);
    let begun = Instant::now();
    let stale = join_all((0..CLIENTS).map(|_| client(&shop, &staff))).await.concat();
    let took = begun.elapsed();
    let paused = match pauses {
        Some(pauses) => pauses.stop().await,
        None => 0,
    };
    assert_eq!(stale, Vec::<String>::new());
    let mut said = Vec::new();
    for source in (1..=replicas.len()).map(|number| format!("replica-{number}")) {
        let count = answered(&shop, &source).await;
        assert!(count > 0.0, "{source} has answered nothing");
        said.push(format!("{source} {count}"));
    }
    said.push(format!("primary {}", answered(&shop, "primary").await));
    println!(
        "{} pairs in {took:.1?}, a replica paused {paused} times: {}",
        CLIENTS * PAIRS_EACH,
        said.join(", ")
    );
    shop.close().await;
}
