//! `jumun projection`: shows the read models.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use event_store::Position;
use serde_json::json;
use sqlx::PgPool;

use super::node::Node;
use crate::config::{Configuration, Flags};
use crate::telemetry;

/// The read models.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
    /// The folder of a running `jumun up`; otherwise the configured database
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

/// What to show.
#[derive(clap::Subcommand)]
enum What {
    /// Which there are, and their tables
    List,
    /// How far each has come in the log
    Status,
}

/// Runs it.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags)?;
    telemetry::log_tool(&configuration)?;
    match arguments.what {
        What::List => list(arguments.json),
        What::Status => {
            let node = Node::for_tool(arguments.data_dir, configuration)?;
            status(&node.read_pool(1).await?, arguments.json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(as_json: bool) {
    let models = projections::models();
    if as_json {
        let rows: Vec<_> =
            models.iter().map(|model| json!({"name": model.name(), "tables": model.tables()})).collect();
        println!("{}", json!(rows));
        return;
    }
    for model in models {
        println!("{:<14}{}", model.name(), model.tables().join(", "));
    }
}

async fn status(read: &PgPool, as_json: bool) -> Result<()> {
    // Progress first: the head that is read after it cannot be behind it.
    let all = projections::progress(read).await?;
    let head: i64 = sqlx::query_scalar("SELECT position FROM log.head")
        .fetch_one(read)
        .await
        .context("the head of the log cannot be read")?;
    let head = Position::from(head);
    let lag = |position: Position| head.0.saturating_sub(position.0);
    if as_json {
        let rows: Vec<_> = all
            .iter()
            .map(|one| json!({"name": one.name, "position": one.position.0, "lag": lag(one.position)}))
            .collect();
        println!("{}", json!({"head": head.0, "models": rows}));
        return Ok(());
    }
    println!("{:<14}{:>12}{:>10}", "read model", "position", "lag");
    for one in all {
        println!("{:<14}{:>12}{:>10}", one.name, one.position.0, lag(one.position));
    }
    println!("{:<14}{:>12}", "the log", head.0);
    Ok(())
}
