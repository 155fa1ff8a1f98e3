//! `jumun projector`: folds events into the read models.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use event_bus::KafkaFeed;
use event_store::{EventStore, Feed};
use projections::{Follow, OpenFeed};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::node::Node;
use super::probes::{Down, probes};
use super::searching;
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
    /// Folds this read model only; may be said several times
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(names()))]
    only: Vec<String>,
}

fn names() -> Vec<&'static str> {
    projections::models().iter().map(|model| model.name()).collect()
}

/// Runs it alone, until it is told to stop.
pub(super) async fn run(arguments: Arguments, flags: Flags) -> Result<ExitCode> {
    let configuration = Configuration::load(&flags.with("probe_listen", arguments.listen))?;
    telemetry::log_role(&configuration)?;
    let (signalled, broken, down) = (signalled()?, CancellationToken::new(), Down::default());
    let node = Node::configured(configuration)?;
    let (store, read) = (node.busy_store(CONNECTIONS_MAX).await?, node.read_pool(CONNECTIONS_MAX).await?);
    let mut parts = Parts::new(&down, &broken);
    let follow = follow(&node.configuration, &store, &arguments.only)?;
    let only = Some(arguments.only).filter(|only| !only.is_empty());
    keep(&mut parts, &read, &store, follow, only);
    searching::keep(&mut parts, &read, &node.configuration)?;
    let probes = probes(read, down, telemetry::metrics()?);
    let router = http_surface::surface(axum::Router::new(), super::probes::document("projector"), probes);
    let (listener, url) = listen("probe_listen", node.configuration.probe_listen).await?;
    parts.once("probes", serve(listener, router, parts.shutdown.clone()));
    tracing::info!("the projector runs; it answers probes on {url}");
    let ended = until_stopped(&signalled, &broken).await;
    parts.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Kafka when it is configured, else the log itself.
fn follow(configuration: &Configuration, store: &EventStore, only: &[String]) -> Result<Follow> {
    let Some(kafka) = configuration.kafka()? else { return Ok(Follow::Log) };
    let (store, group) = (store.clone(), group(&configuration.kafka_group, only));
    let partitions = kafka.partitions;
    let open: OpenFeed = Arc::new(move |places, topics| {
        let (store, kafka, group) = (store.clone(), kafka.clone(), group.clone());
        Box::pin(async move {
            let feed = KafkaFeed::open(store, &kafka, &group, &topics, places).await?;
            Ok(Box::new(feed) as Box<dyn Feed>)
        })
    });
    Ok(Follow::Feed { open, partitions })
}

/// A group shares its partitions: those who fold other read models must be another one, or each would miss the partitions of the
/// other.
fn group(name: &str, only: &[String]) -> String {
    let mut only: Vec<&str> = only.iter().map(String::as_str).collect();
    only.sort_unstable();
    only.dedup();
    std::iter::once(name).chain(only).collect::<Vec<_>>().join("-")
}

/// Runs the projector as one of these parts.
pub(super) fn keep(
    parts: &mut Parts,
    read: &PgPool,
    store: &EventStore,
    follow: Follow,
    only: Option<Vec<String>>,
) {
    let (read, store) = (read.clone(), store.clone());
    parts.keep("projector", move |shutdown| {
        projections::run(read.clone(), store.clone(), follow.clone(), only.clone(), shutdown)
    });
}

#[cfg(test)]
mod tests {
    use super::group;

    #[test]
    fn who_folds_the_same_is_one_group() {
        let only =
            |names: &[&str]| group("jumun", &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(only(&[]), "jumun");
        assert_eq!(only(&["stock", "orders", "stock"]), "jumun-orders-stock");
        assert_eq!(only(&["orders", "stock"]), "jumun-orders-stock");
    }
}
