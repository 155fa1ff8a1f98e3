//! `jumun projector`: folds events into the read models.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use event_store::EventStore;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::node::Node;
use super::probes::{Down, probes};
use super::serving::{listen, serve, signalled};
use super::supervisor::{Parts, until_stopped};
use crate::config::{Configuration, Flags};
use crate::telemetry;

const CONNECTIONS_MAX: u32 = 4;

/// The projector.
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
    let (store, read) = (node.store(CONNECTIONS_MAX).await?, node.read_pool(CONNECTIONS_MAX).await?);
    let mut parts = Parts::new(&down, &broken);
    keep(&mut parts, &read, &store);
    let probes = probes(read, down, telemetry::metrics()?);
    let router = http_surface::surface(axum::Router::new(), super::probes::document("projector"), probes);
    let (listener, url) = listen("probe_listen", node.configuration.probe_listen).await?;
    parts.once("probes", serve(listener, router, parts.shutdown.clone()));
    tracing::info!("the projector runs; it answers probes on {url}");
    let ended = until_stopped(&signalled, &broken).await;
    parts.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Runs the projector as one of these parts.
pub(super) fn keep(parts: &mut Parts, read: &PgPool, store: &EventStore) {
    let (read, store) = (read.clone(), store.clone());
    parts.keep("projector", move |shutdown| projections::run(read.clone(), store.clone(), shutdown));
}
