//! `jumun query-api`: serves queries over HTTP.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use axum::Router;
use event_store::EventStore;
use http_surface::Probes;
use query_api::{App, Config};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::node::Node;
use super::probes::{Down, probes};
use super::serving::{listen, serve, signalled};
use super::supervisor::{Parts, until_stopped};
use crate::config::{Configuration, Flags};
use crate::telemetry;

const READ_CONNECTIONS_MAX: u32 = 16;
/// Connections to the log, for long readings and live streams.
pub(super) const LOG_CONNECTIONS_MAX: u32 = 6;

/// The query API.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

/// Runs it alone, until it is told to stop.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags.with("query_listen", arguments.listen))?;
    telemetry::log_role(&configuration)?;
    let (signalled, broken, down) = (signalled()?, CancellationToken::new(), Down::default());
    let node = Node::configured(configuration)?;
    let store = node.store(LOG_CONNECTIONS_MAX).await?;
    let read = node.read_pool(READ_CONNECTIONS_MAX).await?;
    let mut servers = Parts::new(&down, &broken);
    let probes = probes(read.clone(), down, telemetry::metrics()?);
    let router = router(&node, read, store, probes, servers.shutdown.clone())?;
    let (listener, url) = listen("query_listen", node.configuration.query_listen).await?;
    servers.once("query API", serve(listener, router, servers.shutdown.clone()));
    tracing::info!("the query API answers on {url}");
    let ended = until_stopped(&signalled, &broken).await;
    servers.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// All calls of the query API. Its streams end when `shutdown` is cancelled.
pub(super) fn router(
    node: &Node,
    read: PgPool,
    store: EventStore,
    probes: Probes,
    shutdown: CancellationToken,
) -> Result<Router> {
    let config = Config { shutdown, ..Config::default() };
    let (router, document) = query_api::api(App::new(read, store, node.keys()?, config));
    Ok(http_surface::surface(router, document, probes))
}
