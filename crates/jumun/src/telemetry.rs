//! What the process tells about itself: log lines and metrics.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Layer, registry};

use crate::config::{Configuration, LogFormat};

/// What a role logs when nothing is said: what happens, but not every statement that a database driver finds worth mentioning.
const ROLE: &str = "info,sqlx=warn";
/// What a tool logs: it prints its results, and says more only when something is wrong.
const TOOL: &str = "warn,sqlx=error";

/// Seconds that answers take, in steps that are worth telling apart.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const UPKEEP: Duration = Duration::from_secs(5);

/// Logs for a role that runs until it is stopped.
pub(crate) fn log_role(configuration: &Configuration) -> Result<()> {
    let format = if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    log(configuration, ROLE, configuration.log_format.unwrap_or(format))
}

/// Logs for a tool whose output people and scripts read.
pub(crate) fn log_tool(configuration: &Configuration) -> Result<()> {
    log(configuration, TOOL, configuration.log_format.unwrap_or(LogFormat::Text))
}

fn log(configuration: &Configuration, default: &str, format: LogFormat) -> Result<()> {
    let wanted = configuration.log.as_deref().unwrap_or(default);
    let set = match format {
        LogFormat::Text => {
            let lines = layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
            registry().with(filter(wanted)?).with(lines).try_init()
        }
        LogFormat::Json => {
            let lines = layer().with_writer(std::io::stderr).json().flatten_event(true);
            registry().with(filter(wanted)?).with(lines.with_current_span(true)).try_init()
        }
    };
    set.map_err(|error| anyhow::anyhow!("logging cannot be set up: {error}"))
}

/// By targets and levels alone where that is all that is wanted: a filter that may ask for spans looks at each span that is entered.
fn filter<S: Subscriber>(wanted: &str) -> Result<Box<dyn Layer<S> + Send + Sync>> {
    let targets = if wanted.contains('[') { None } else { wanted.parse::<Targets>().ok() };
    // At debug it shows the parameters of every statement, and so what events say.
    let quiet = ("tokio_postgres", Level::INFO);
    Ok(match targets {
        Some(targets) if targets.would_enable(quiet.0, &Level::DEBUG) => {
            Box::new(targets.with_target(quiet.0, quiet.1))
        }
        Some(targets) => Box::new(targets),
        None => {
            let quiet = format!("{}={}", quiet.0, quiet.1).parse().context("log")?;
            Box::new(EnvFilter::try_new(wanted).context("log")?.add_directive(quiet))
        }
    })
}

/// Collects the metrics of this process from now on.
pub(crate) fn metrics() -> Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)?
        .install_recorder()?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}
