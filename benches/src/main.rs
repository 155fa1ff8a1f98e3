//! What a running `jumun up` reaches, beside what its own PostgreSQL gives to plain inserts in the same run.
//!
//! `script/bench` starts a fresh `up` and calls this. Every figure is a ratio to pgbench's single-row insert at the same
//! number of clients: absolute rates on a shared machine mean little.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::Value;

mod append;
mod checkout;
mod load;
mod single_row;

/// Measures a running `jumun up`.
#[derive(Parser)]
struct Arguments {
    /// The folder of the running `jumun up --demo`.
    #[arg(long)]
    data_dir: PathBuf,
    /// Seconds per figure.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Numbers of clients at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    clients: Vec<usize>,
}

/// Where the running shop is.
struct Shop {
    command_url: String,
    query_url: String,
    database_url: String,
    staff: (String, String),
}

impl Shop {
    fn find(data_dir: &Path) -> Result<Self> {
        let read = |name: &str| -> Result<Value> {
            let path = data_dir.join(name);
            let bytes = std::fs::read(&path)
                .with_context(|| format!("{}: is `jumun up --demo` running?", path.display()))?;
            Ok(serde_json::from_slice(&bytes)?)
        };
        let (run, people) = (read("run.json")?, read("demo.json")?);
        let text = |value: &Value, pointer: &str| -> Result<String> {
            let found = value.pointer(pointer).and_then(Value::as_str);
            Ok(found.with_context(|| format!("{pointer} is missing"))?.to_owned())
        };
        Ok(Self {
            command_url: text(&run, "/command_url")?,
            query_url: text(&run, "/query_url")?,
            database_url: text(&run, "/database_url")?,
            staff: (text(&people, "/staff/email")?, text(&people, "/staff/password")?),
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let shop = Shop::find(&arguments.data_dir)?;
    let time = Duration::from_secs(arguments.seconds);
    println!(
        "{:<28} {:>7} {:>10} {:>10} {:>10} {:>12}",
        "what", "clients", "per second", "p50 ms", "p99 ms", "of 1-row"
    );
    let appends = append::Bench::open(&shop.database_url).await?;
    let checkouts = checkout::Bench::open(&shop).await?;
    for &clients in &arguments.clients {
        let base = single_row::measure(&shop.database_url, clients, time).await?;
        base.print("pgbench single-row insert", clients, base.rate);
        appends.measure(clients, time).await?.print("append through the engine", clients, base.rate);
        checkouts.measure(clients, time).await?.print("guest checkout over HTTP", clients, base.rate);
    }
    appends.close().await;
    Ok(())
}
