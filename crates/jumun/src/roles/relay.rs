//! `jumun relay`: publishes the log to Kafka.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use event_bus::connection::Kafka;
use event_bus::relay::{self, Options};
use event_bus::topics;
use event_store::EventStore;
use tokio_util::sync::CancellationToken;

use super::node::Node;
use super::probes::{Down, probes};
use super::serving::{listen, serve, signalled};
use super::supervisor::{Parts, until_stopped};
use crate::config::{Configuration, Flags};
use crate::telemetry;

/// Reading, storing the checkpoint, comparing what is on Kafka, and the probes.
const CONNECTIONS_MAX: u32 = 4;
/// Before a Kafka that is away is asked again.
const PAUSE: Duration = Duration::from_secs(1);
const NAME: &str = "relay";

/// The relay.
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
    let kafka = configuration.kafka()?.context(
        "kafka_brokers is not set: put it into JUMUN_KAFKA_BROKERS or the configuration file, \
         for example kafka.example.com:9092",
    )?;
    let (signalled, broken, down) = (signalled()?, CancellationToken::new(), Down::default());
    let node = Node::configured(configuration)?;
    let store = node.store(CONNECTIONS_MAX).await?;
    let mut parts = Parts::new(&down, &broken);
    let probes = probes(store.pool().clone(), down.clone(), telemetry::metrics()?);
    let router = http_surface::surface(axum::Router::new(), super::probes::document(NAME), probes);
    let (listener, url) = listen("probe_listen", node.configuration.probe_listen).await?;
    parts.once("probes", serve(listener, router, parts.shutdown.clone()));
    down.add(NAME);
    tokio::select! {
        () = signalled.cancelled() => {}
        prepared = prepare(&kafka) => prepared?,
    }
    down.remove(NAME);
    keep(&mut parts, &store, &kafka);
    tracing::info!("the relay runs; it answers probes on {url}");
    let ended = until_stopped(&signalled, &broken).await;
    parts.stop().await;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Makes the topics, or waits for Kafka; what is wrong with the configuration stops the start.
async fn prepare(kafka: &Kafka) -> Result<(), topics::Error> {
    loop {
        match topics::prepare(kafka).await {
            Err(error) if error.passes() => {
                tracing::warn!(%error, "the relay waits for Kafka: {error}");
                tokio::time::sleep(PAUSE).await;
            }
            prepared => return prepared,
        }
    }
}

/// Runs the relay as one of these parts.
fn keep(parts: &mut Parts, store: &EventStore, kafka: &Kafka) {
    let (store, kafka) = (store.clone(), kafka.clone());
    parts.keep(NAME, move |shutdown| relay::run(store.clone(), kafka.clone(), Options::default(), shutdown));
}
