//! `jumun verify`: checks the promises on a live database.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use event_store::{EventStore, Position};
use projections::verify::Check;
use serde_json::json;
use sqlx::PgPool;
use tokio::time::Instant;

use super::node::Node;
use super::searching;
use crate::config::{Configuration, Flags};
use crate::telemetry;

const CONNECTIONS_MAX: u32 = 4;
/// How long the projector may take to reach where the log ended at the start.
const DEADLINE: Duration = Duration::from_secs(60);
/// Nothing new on Kafka for so long: what has not come by then is missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// The checks.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of a running `jumun up`; otherwise the configured database
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Kafka too: read as somebody new reads it, it must be the log
    #[arg(long)]
    kafka: bool,
    /// Compare the documents of OpenSearch with the read model, too
    #[arg(long)]
    search: bool,
    /// Have the documents that differ written again
    #[arg(long, requires = "search")]
    repair: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs them. The exit status is 1 when a promise is broken.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags)?;
    telemetry::log_tool(&configuration)?;
    let node = Node::for_tool(arguments.data_dir, configuration)?;
    let (store, read) = (node.store(CONNECTIONS_MAX).await?, node.read_pool(CONNECTIONS_MAX).await?);
    let head = store.head().await?.position;
    if let Some(behind) = behind(&read, head, DEADLINE).await? {
        bail!(
            "the read model {behind} has not reached position {head} within {} s: does the projector run?",
            DEADLINE.as_secs()
        );
    }
    let mut checks = checks(&store, &read).await?;
    if arguments.kafka {
        checks.extend(kafka(&store, &node.configuration).await?);
    }
    if arguments.search {
        checks.push(searching::check(&read, &node.configuration, arguments.repair).await?);
    }
    let ok = checks.iter().all(|check| check.ok);
    if arguments.json {
        let rows: Vec<_> = checks
            .iter()
            .map(|check| json!({"name": check.name, "ok": check.ok, "detail": check.detail}))
            .collect();
        println!("{}", json!({"ok": ok, "checks": rows}));
    } else {
        print(&checks);
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn checks(store: &EventStore, read: &PgPool) -> Result<Vec<Check>> {
    let checks = projections::verify::run(store, read).await?;
    if checks.is_empty() {
        bail!("nothing was checked");
    }
    Ok(checks)
}

/// Kafka against the log.
async fn kafka(store: &EventStore, configuration: &Configuration) -> Result<Vec<Check>> {
    let kafka = configuration.kafka()?.context("kafka_brokers is not set: there is no Kafka to verify")?;
    let checks = event_bus::verify::run(store, &kafka, PATIENCE).await.context("Kafka cannot be checked")?;
    let check =
        |check: event_bus::verify::Check| Check { name: check.name, ok: check.ok, detail: check.detail };
    Ok(checks.into_iter().map(check).collect())
}

/// Waits until every read model has reached `position`; the name of one that has not in time.
pub(super) async fn behind(
    read: &PgPool,
    position: Position,
    longest: Duration,
) -> Result<Option<&'static str>> {
    let deadline = Instant::now() + longest;
    for model in projections::models() {
        if !projections::reached(read, model.name(), position, deadline).await? {
            return Ok(Some(model.name()));
        }
    }
    Ok(None)
}

fn print(checks: &[Check]) {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    for check in checks {
        let mark = if check.ok { "ok    " } else { "BROKEN" };
        println!("{mark}  {:<width$}  {}", check.name, check.detail);
    }
}
