//! The yardstick: pgbench, one row a transaction, into the least table an event store needs.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::{Connection, Executor};
use tokio::process::Command;

use crate::load::Figures;

const TABLE: &str = "CREATE SCHEMA IF NOT EXISTS bench;
    CREATE TABLE IF NOT EXISTS bench.ev (
        pos bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stream uuid NOT NULL, version int NOT NULL,
        type text NOT NULL, data jsonb NOT NULL, UNIQUE (stream, version));";

const INSERT: &str = "INSERT INTO bench.ev (stream, version, type, data) VALUES (gen_random_uuid(), 1, 'OrderPlaced', \
    '{\"order_id\": \"7d8f2b1e-52a5-4b6e-9d2c-0c6b1f6f3a11\", \"customer_id\": \"b5a2c7de-1f0e-4b38-8f6e-2e9d54a0c7aa\", \
    \"currency\": \"EUR\", \"total_cents\": 14970, \"channel\": \"storefront\", \"placed_at\": \"2026-11-23T05:32:05.123Z\", \
    \"lines\": [{\"sku\": \"SKU-000001\", \"qty\": 1, \"cents\": 4990}, {\"sku\": \"SKU-000002\", \"qty\": 2, \"cents\": 4990}]}');";

pub(crate) async fn measure(database_url: &str, clients: usize, time: Duration) -> Result<Figures> {
    let mut database = sqlx::PgConnection::connect(database_url).await?;
    database.execute(TABLE).await?;
    let folder = std::env::temp_dir().join(format!("jumun-bench-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder)?;
    let script = folder.join("insert.sql");
    std::fs::write(&script, INSERT)?;
    let output = Command::new(pgbench())
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-l",
            "-c",
            &clients.to_string(),
            "-T",
            &time.as_secs().to_string(),
        ])
        .arg("-f")
        .arg(&script)
        .arg(database_url)
        .current_dir(&folder)
        .output()
        .await
        .context("pgbench cannot be run; it comes with PostgreSQL's programs")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let rate =
        text.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    let latencies = transaction_millis(&folder)?;
    std::fs::remove_dir_all(&folder)?;
    let at =
        |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    Ok(Figures { rate: rate.context("pgbench printed no tps")?, p50_ms: at(0.5), p99_ms: at(0.99) })
}

/// pgbench's per-transaction logs: the third column is microseconds.
fn transaction_millis(folder: &std::path::Path) -> Result<Vec<f64>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench_log")) {
            let text = std::fs::read_to_string(&path)?;
            all.extend(
                text.lines()
                    .filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok())
                    .map(|us| us / 1000.0),
            );
        }
    }
    all.sort_unstable_by(f64::total_cmp);
    Ok(all)
}

fn pgbench() -> PathBuf {
    let installed =
        (15..=30).rev().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin/pgbench")));
    installed.into_iter().find(|path| path.exists()).unwrap_or_else(|| "pgbench".into())
}
