//! `jumun migrate`: brings the database to this program's version.

use std::process::ExitCode;

use anyhow::{Context, Result};

use super::node::Node;
use crate::config::{Configuration, Flags};
use crate::telemetry;

/// Runs it.
pub(super) async fn run(flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags)?;
    telemetry::log_tool(&configuration)?;
    let node = Node::configured(configuration)?;
    apply(&node).await?;
    println!("the database is of version {}", env!("CARGO_PKG_VERSION"));
    Ok(ExitCode::SUCCESS)
}

/// Applies what is not yet applied of every schema.
pub(super) async fn apply(node: &Node) -> Result<()> {
    let (pool, read) = (node.pool(2).await?, node.read_pool(2).await?);
    event_store::migrate(&pool).await.context("the log and the vault cannot be migrated")?;
    process_managers::migrate(&pool).await.context("the process managers' tables cannot be migrated")?;
    event_bus::relay::migrate(&pool).await.context("the relay's tables cannot be migrated")?;
    projections::migrate(&read).await.context("the read models cannot be migrated")?;
    Ok(())
}
