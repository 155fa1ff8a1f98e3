//! The measuring programs that `script/bench` calls, each beside something that is measured in the same run: absolute rates on a
//! shared machine mean little.

use std::path::Path;

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::Value;

mod commerce;
mod engine;
mod growth;
mod load;
mod replay;
mod roles;

/// That of the platform.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures.
#[derive(Parser)]
enum What {
    /// What buyers of a running `jumun up` get over HTTP, as `benches/commerce` measures other shops.
    Commerce(commerce::Arguments),
    /// Replay of a whole log, and the rebuild of read models from it.
    Replay(replay::Arguments),
    /// Appends and queries with more and more events in the log.
    Growth(growth::Arguments),
    /// The engine, as one of the stores of `benches/peers`.
    Engine,
}

/// Where the running shop is.
struct Shop {
    command_url: String,
    query_url: String,
    staff: (String, String),
    pid: u32,
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
            staff: (text(&people, "/staff/email")?, text(&people, "/staff/password")?),
            pid: run["pid"].as_u64().and_then(|pid| pid.try_into().ok()).context("pid is missing")?,
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    match What::parse() {
        What::Commerce(arguments) => tokio::task::spawn_blocking(|| commerce::measure(arguments)).await?,
        What::Replay(arguments) => replay::measure(arguments).await,
        What::Growth(arguments) => growth::measure(arguments).await,
        What::Engine => engine::measure().await,
    }
}
