//! `jumun sandbox-gateway`: a payment gateway that moves no money.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use payments::sandbox::server::{Delays, Options, router};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::probes::Down;
use super::serving::{listen, serve, signalled};
use super::supervisor::{Parts, until_stopped};
use crate::config::{Configuration, Flags, required};
use crate::data_dir::create_private;
use crate::telemetry;

/// The file with all that it did, in its folder.
const LEDGER: &str = "ledger.jsonl";

/// The sandbox gateway.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The folder of its ledger
    #[arg(long, value_name = "FOLDER", default_value = ".jumun-sandbox")]
    ledger: PathBuf,
}

/// Runs it alone, until it is told to stop.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags.with("sandbox_listen", arguments.listen))?;
    telemetry::log_role(&configuration)?;
    let (signalled, broken, down) = (signalled()?, CancellationToken::new(), Down::default());
    let mut parts = Parts::new(&down, &broken);
    let secret = required("webhook_secret", configuration.webhook()?)?;
    let webhook_url = configuration.sandbox_webhook_url.clone();
    let gateway = open(&arguments.ledger, &configuration, webhook_url, secret, parts.shutdown.clone())?;
    let (listener, url) = listen("sandbox_listen", configuration.sandbox_listen).await?;
    parts.once("sandbox gateway", serve(listener, gateway, parts.shutdown.clone()));
    tracing::info!("the sandbox gateway answers on {url}");
    let ended = until_stopped(&signalled, &broken).await;
    parts.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Opens the ledger and takes up what was under way.
pub(super) fn open(
    folder: &Path,
    configuration: &Configuration,
    webhook_url: String,
    webhook_secret: SecretString,
    shutdown: CancellationToken,
) -> Result<Router> {
    create_private(folder)?;
    let late = Duration::from_millis(configuration.sandbox_late_millis);
    let options = Options { webhook_url, webhook_secret, delays: Delays { late, ..Delays::default() } };
    let ledger = folder.join(LEDGER);
    router(&ledger, options, shutdown).with_context(|| format!("{} cannot be opened", ledger.display()))
}
