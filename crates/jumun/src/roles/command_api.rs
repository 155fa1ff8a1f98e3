//! `jumun command-api`: takes commands over HTTP.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use axum::Router;
use command_api::accounts::Accounts;
use command_api::engine::{Engine, Options};
use command_api::{App, Config};
use event_store::EventStore;
use http_surface::Probes;
use payments::Gateways;
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;

use super::node::{ACQUIRE_TIMEOUT, Node};
use super::probes::{Down, probes};
use super::serving::{listen, serve, signalled};
use super::supervisor::{Parts, until_stopped};
use crate::config::{Configuration, Flags};
use crate::telemetry;

/// Connections to the log: one for the appending engine, the others for loading and for accounts.
const CONNECTIONS_MAX: u32 = 10;
/// Those of the engine beside them: it appends on one, and looks for states and keeps snapshots on others.
const ENGINE_CONNECTIONS_MAX: u32 = 4;

/// The command API.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// Runs it alone, until it is told to stop.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags.with("command_listen", arguments.listen))?;
    telemetry::log_role(&configuration)?;
    let (signalled, broken, down) = (signalled()?, CancellationToken::new(), Down::default());
    let node = Node::configured(configuration)?;
    let store = node.busy_store(CONNECTIONS_MAX).await?;
    let gateways = node.gateways(&node.configuration.sandbox_url)?;
    let metrics = telemetry::metrics()?;
    let (mut servers, mut engines) = (Parts::new(&down, &broken), Parts::new(&down, &broken));
    let engine = start_engine(&mut engines, store.clone());
    let probes = probes(store.pool().clone(), down, metrics);
    let accounts = Accounts::new(store.pool().clone());
    let router = router(&node, store, engine, gateways, accounts, probes)?;
    let (listener, url) = listen("command_listen", node.configuration.command_listen).await?;
    servers.once("command API", serve(listener, router, servers.shutdown.clone()));
    tracing::info!("the command API answers on {url}");
    let ended = until_stopped(&signalled, &broken).await;
    servers.stop().await;
    engines.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Starts the command engine as one of these parts.
pub(super) fn start_engine(parts: &mut Parts, store: EventStore) -> Engine {
    let (engine, running) =
        Engine::start(own_connections(&store), Options::default(), parts.shutdown.clone());
    // An engine that nobody can ask any more ends. Not this one: it ends when it is told to, after those who ask have stopped.
    let held = engine.clone();
    parts.once("command engine", async move {
        let ended = running.await;
        drop(held);
        ended
    });
    engine
}

/// The same log through connections of the engine alone: nobody else keeps it waiting, and none is asked first whether it is still
/// there. The engine finds out by itself, and sends again.
fn own_connections(store: &EventStore) -> EventStore {
    let options = store.pool().connect_options().as_ref().clone();
    let pool = PgPoolOptions::new().max_connections(ENGINE_CONNECTIONS_MAX).test_before_acquire(false);
    store.with_pool(pool.acquire_timeout(ACQUIRE_TIMEOUT).connect_lazy_with(options))
}

/// All calls of the command API.
pub(super) fn router(
    node: &Node,
    store: EventStore,
    engine: Engine,
    gateways: Gateways,
    accounts: Accounts,
    probes: Probes,
) -> Result<Router> {
    let config = Config { reservation: node.configuration.reservation() };
    let (router, document) =
        command_api::api(App::new(store, engine, node.keys()?, gateways, accounts, config));
    Ok(http_surface::surface(router, document, probes))
}
