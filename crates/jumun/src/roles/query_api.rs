//! `jumun query-api`: serves queries over HTTP.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use event_store::EventStore;
use http_surface::Probes;
use query_api::{App, Config, Patience, Replicas};
use tokio_util::sync::CancellationToken;

use super::node::Node;
use super::probes::{Down, probes_with};
use super::searching;
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
    let metrics = telemetry::metrics()?;
    let (replicas, store) = open(&node).await?;
    let mut servers = Parts::new(&down, &broken);
    let asked = replicas.clone();
    let answers = move || {
        let asked = asked.clone();
        async move { asked.can_answer().await }
    };
    let probes = probes_with(answers, down, metrics);
    let router = router(&node, replicas, store, probes, servers.shutdown.clone())?;
    let (listener, url) = listen("query_listen", node.configuration.query_listen).await?;
    servers.once("query API", serve(listener, router, servers.shutdown.clone()));
    tracing::info!("the query API answers on {url}");
    let ended = until_stopped(&signalled, &broken).await;
    servers.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// The databases that are asked, and the log. With replicas it can start while the primary is away.
async fn open(node: &Node) -> Result<(Replicas, EventStore)> {
    let replicas = node.replicas().await?;
    if replicas.is_empty() {
        let store = node.store(LOG_CONNECTIONS_MAX).await?;
        return Ok((node.query_pool(READ_CONNECTIONS_MAX).await?.into(), store));
    }
    let store = node.store_in_time(LOG_CONNECTIONS_MAX).await?;
    let primary = node.query_pool_in_time(READ_CONNECTIONS_MAX).await?;
    let lag_max = Duration::from_secs(node.configuration.replica_lag_seconds);
    let patience = Patience { lag_max, ..Patience::default() };
    Ok((Replicas::new(primary, replicas, READ_CONNECTIONS_MAX, patience), store))
}

/// All calls of the query API. Its streams end when `shutdown` is cancelled.
pub(super) fn router(
    node: &Node,
    replicas: impl Into<Replicas>,
    store: EventStore,
    probes: Probes,
    shutdown: CancellationToken,
) -> Result<Router> {
    let config = Config { shutdown, ..Config::default() };
    let mut app = App::new(replicas, store, node.keys()?, config);
    if let Some(opensearch) = searching::configured(&node.configuration)? {
        app = app.with_finder(opensearch);
    }
    let (router, document) = query_api::api(app);
    Ok(http_surface::surface(router, document, probes))
}
