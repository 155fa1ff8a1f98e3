//! Real invoices through the public surface.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::shop::{DEADLINE, Shop, repository};

const SMALL: &str = "tests/data/invoices-small.csv";

/// The real invoices, where they are at hand (CI has them); otherwise the small file of our own making.
pub(crate) fn invoices() -> PathBuf {
    let real = repository("../shared/data/online-retail/invoices-2010-12.csv");
    if real.exists() { real } else { repository(SMALL) }
}

async fn import(shop: &Shop, file: &Path) -> Value {
    let (code, text) = shop.run(&["import", "invoices", &file.display().to_string(), "--json"]).await;
    assert_eq!(code, 0, "{text}");
    let line =
        text.lines().rfind(|line| line.starts_with('{')).unwrap_or_else(|| panic!("no summary in {text}"));
    serde_json::from_str(line).unwrap()
}

async fn verified(shop: &Shop) {
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_playable_invoice_is_placed_and_reconciles() {
    let shop = Shop::open().await;
    let summary = import(&shop, &invoices()).await;
    assert_eq!(summary["equal"], true, "{summary:#}");
    assert!(summary["orders"].as_u64().unwrap() > 0, "{summary:#}");
    assert!(
        summary["rejected_lines"].as_u64().unwrap() > 0,
        "the data is dirty, and that is seen: {summary:#}"
    );
    verified(&shop).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_run_again_changes_nothing() {
    let shop = Shop::open().await;
    let first = import(&shop, &repository(SMALL)).await;
    let again = import(&shop, &repository(SMALL)).await;
    assert_eq!(first["orders"], again["orders"]);
    assert_eq!(again["equal"], true, "{again:#}");
    verified(&shop).await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_killed_in_the_middle_of_an_import_loses_and_doubles_nothing() {
    let shop = Shop::open().await;
    let file = invoices();
    let mut running = shop
        .tool(&["import", "invoices", &file.display().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let staff = shop.staff().await;
    let begun = Instant::now();
    while shop.get("/v1/orders?limit=20", Some(&staff), None).await.expect(200).body["items"]
        .as_array()
        .unwrap()
        .len()
        < 5
    {
        assert!(begun.elapsed() < DEADLINE, "the import places no orders");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let shop = shop.crash_and_restart().await;
    running.start_kill().ok();
    running.wait().await.unwrap();
    let summary = import(&shop, &file).await;
    assert_eq!(summary["equal"], true, "{summary:#}");
    verified(&shop).await;
    shop.close().await;
}
