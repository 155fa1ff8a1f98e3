//! `jumun projection`: shows the read models, goes on with what is parked, builds them anew, and swaps back what was.

mod old;
mod parked;
mod rebuild;
mod search;
mod status;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use projections::ReadModel;
use serde_json::json;

use super::node::Node;
use crate::config::{Configuration, Flags};
use crate::telemetry;

const CONNECTIONS_MAX: u32 = 4;

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

/// What to do.
#[derive(clap::Subcommand)]
enum What {
    /// Which there are, and their tables
    List,
    /// How far each has come in the log
    Status,
    /// Streams that a read model cannot go on with, and why
    Parked,
    /// Goes on with what is parked, once its cause is mended
    Retry(parked::Retry),
    /// Builds them anew beside the running ones, compares, and swaps them in
    Rebuild(rebuild::Arguments),
    /// Swaps what was running before the last rebuild back in
    Rollback {
        /// The read model
        name: String,
    },
    /// Throws away what was running before the last rebuild
    DropOld {
        /// The read model
        name: String,
    },
}

/// Runs it.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags)?;
    telemetry::log_tool(&configuration)?;
    let json = arguments.json;
    if matches!(arguments.what, What::List) {
        list(json);
        return Ok(ExitCode::SUCCESS);
    }
    let node = Node::for_tool(arguments.data_dir, configuration)?;
    let configuration = &node.configuration;
    let read = node.read_pool(CONNECTIONS_MAX).await?;
    match arguments.what {
        What::List => {}
        // The log may be in another database than the read models.
        What::Status => status::show(&read, &node.pool(1).await?, json).await?,
        What::Parked => parked::show(&read, json).await?,
        What::Retry(what) => return what.run(&read, &node.store(CONNECTIONS_MAX).await?, json).await,
        What::Rebuild(which) if which.is_search() => search::rebuild(&read, configuration, json).await?,
        What::Rebuild(which) => return which.run(read, node.store(CONNECTIONS_MAX).await?, json).await,
        What::Rollback { name } => {
            old::rollback(&name, &read, &node.store(CONNECTIONS_MAX).await?, json).await?;
        }
        What::DropOld { name } => old::drop_old(&name, &read, json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The read model of that name.
fn model(name: &str) -> Result<Box<dyn ReadModel>> {
    let mut models = projections::models();
    match models.iter().position(|model| model.name() == name) {
        Some(index) => Ok(models.swap_remove(index)),
        None => {
            let known: Vec<_> = models.iter().map(|model| model.name()).collect();
            bail!("there is no read model {name:?}: there are {}", known.join(", "))
        }
    }
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
