//! `jumun recover`: going on after the log was restored, or failed over with loss.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use event_store::Position;
use process_managers::recovery::follow_this_log;

use super::node::Node;
use crate::config::{Configuration, Flags};
use crate::telemetry;

/// What is to go on.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
    /// The folder of a running `jumun up`; otherwise the configured database
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum What {
    /// Gives the log another epoch: after a restore that lost its end, before anything is appended
    Log {
        /// All that follows the log stops until it is told to go on
        #[arg(long)]
        yes: bool,
    },
    /// Lets the process managers follow the log of another epoch
    ProcessManagers {
        /// Go on after this position, the last that both logs have; needed when they had followed what was lost
        #[arg(long, value_name = "POSITION")]
        from: Option<u64>,
    },
}

/// Runs it.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags)?;
    telemetry::log_tool(&configuration)?;
    let node = Node::for_tool(arguments.data_dir, configuration)?;
    match arguments.what {
        What::Log { yes: false } => {
            bail!(
                "whatever follows the log stops until it is told to go on; say --yes when the log has lost its end"
            )
        }
        What::Log { yes: true } => {
            let head = node.store(1).await?.bump_epoch().await?;
            println!("the log has epoch {} now and goes on after position {}", head.epoch, head.position);
            println!(
                "next: jumun recover process-managers; jumun projection status shows read models of the other epoch"
            );
        }
        What::ProcessManagers { from } => process_managers(&node, from.map(Position)).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn process_managers(node: &Node, from: Option<Position>) -> Result<()> {
    let followed = follow_this_log(&node.pool(1).await?, from).await.context("nothing was changed")?;
    match followed {
        None => println!("the process managers have followed nothing yet; they begin by themselves"),
        Some(followed) => println!(
            "the process managers follow epoch {} and go on after position {}",
            followed.epoch, followed.position
        ),
    }
    Ok(())
}
