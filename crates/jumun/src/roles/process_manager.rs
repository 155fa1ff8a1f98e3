//! `jumun process-manager`: does what must happen next.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use command_api::accounts::Accounts;
use command_api::engine::Engine;
use event_store::EventStore;
use payments::Gateways;
use process_managers::{CaptureWhen, Options};
use tokio_util::sync::CancellationToken;

use super::command_api::start_engine;
use super::node::Node;
use super::probes::{Down, probes};
use super::serving::{listen, serve, signalled};
use super::supervisor::{Parts, until_stopped};
use crate::config::{Capture, Configuration, Flags};
use crate::telemetry;

const CONNECTIONS_MAX: u32 = 8;

/// The process manager.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where it answers /healthz, /readyz and /metrics
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// Runs it alone, until it is told to stop.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags.with("probe_listen", arguments.listen))?;
    telemetry::log_role(&configuration)?;
    let (signalled, broken, down) = (signalled()?, CancellationToken::new(), Down::default());
    let node = Node::configured(configuration)?;
    let store = node.busy_store(CONNECTIONS_MAX).await?;
    let gateways = node.gateways(&node.configuration.sandbox_url)?;
    let (mut parts, mut engines) = (Parts::new(&down, &broken), Parts::new(&down, &broken));
    let engine = start_engine(&mut engines, store.clone());
    let accounts = Accounts::new(store.pool().clone());
    keep(&mut parts, node.configuration.capture, &store, &engine, &gateways, &accounts);
    let probes = probes(store.pool().clone(), down, telemetry::metrics()?);
    let router =
        http_surface::surface(axum::Router::new(), super::probes::document("process manager"), probes);
    let (listener, url) = listen("probe_listen", node.configuration.probe_listen).await?;
    parts.once("probes", serve(listener, router, parts.shutdown.clone()));
    tracing::info!("the process manager runs; it answers probes on {url}");
    let ended = until_stopped(&signalled, &broken).await;
    parts.stop().await;
    engines.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Runs the process managers as one of these parts.
pub(super) fn keep(
    parts: &mut Parts,
    capture: Capture,
    store: &EventStore,
    engine: &Engine,
    gateways: &Gateways,
    accounts: &Accounts,
) {
    let (store, engine, gateways, accounts) =
        (store.clone(), engine.clone(), gateways.clone(), accounts.clone());
    parts.keep("process manager", move |shutdown: CancellationToken| {
        let (store, engine, gateways) = (store.clone(), engine.clone(), gateways.clone());
        process_managers::run(store, engine, gateways, accounts.clone(), options(capture), shutdown)
    });
}

fn options(capture: Capture) -> Options {
    let capture = match capture {
        Capture::AtShipment => CaptureWhen::AtShipment,
        Capture::AtOnce => CaptureWhen::AtOnce,
    };
    Options { capture, ..Options::default() }
}
