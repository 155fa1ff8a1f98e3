//! `jumun demo`: what `up --demo` loads, for roles that stand alone.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use command_api::accounts::Accounts;
use tokio_util::sync::CancellationToken;

use super::command_api::start_engine;
use super::node::Node;
use super::probes::Down;
use super::supervisor::Parts;
use crate::config::{Configuration, Flags};
use crate::data_dir::DataDir;
use crate::{demo, telemetry};

const CONNECTIONS_MAX: u32 = 4;

/// The demo.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that demo.json is written to, with the sign-ins [default: .jumun]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

/// Loads it into the configured database. A second time changes nothing.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let folder = arguments.data_dir.map(|folder| folder.display().to_string());
    let configuration = Configuration::load(&flags.with("data_dir", folder))?;
    telemetry::log_tool(&configuration)?;
    let data = DataDir::create(&configuration.data_dir)?;
    let store = Node::configured(configuration)?.store(CONNECTIONS_MAX).await?;
    let mut engines = Parts::new(&Down::default(), &CancellationToken::new());
    let engine = start_engine(&mut engines, store.clone());
    let loaded = demo::load(&engine, &store, &Accounts::new(store.pool().clone()), &data).await;
    engines.stop().await;
    print!("{}", loaded?);
    Ok(ExitCode::SUCCESS)
}
