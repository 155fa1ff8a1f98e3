//! `jumun projection rebuild`: builds read models anew beside the running ones, and swaps them in.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::{Result, bail};
use event_store::EventStore;
use futures::StreamExt;
use projections::ReadModel;
use projections::rebuild::{Compared, Error, Meter, Options, Outcome, run, workers};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::watch::Watch;

/// Read models that are built at once.
const AT_ONCE: usize = 2;

/// Which, and how.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The read models; or `search` alone: the index in OpenSearch
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    names: Vec<String>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// How many fold a read model at once
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    workers: Option<u32>,
    /// Throw away what an interrupted rebuild has left
    #[arg(long)]
    restart: bool,
    /// Swap although rows differ, or are of another log
    #[arg(long)]
    accept_differences: bool,
}

/// One of them under way.
struct Job {
    model: Arc<dyn ReadModel>,
    options: Options,
    meter: Arc<Meter>,
}

impl Arguments {
    /// Whether it is the search index that is rebuilt, which is made from the rows of a read model and not from the log.
    pub(super) fn is_search(&self) -> bool {
        matches!(self.names.as_slice(), [name] if name == super::search::NAME)
    }

    /// Rebuilds. The exit status is 1 when one of them was not swapped in.
    pub(super) async fn run(self, read: PgPool, store: EventStore, as_json: bool) -> Result<ExitCode> {
        rebuild(jobs(&self)?, read, store, as_json).await
    }
}

async fn rebuild(jobs: Vec<Job>, read: PgPool, store: EventStore, as_json: bool) -> Result<ExitCode> {
    let watch = Watch::begin(jobs.iter().map(|job| (job.model.name(), Arc::clone(&job.meter))));
    let results: Vec<(&'static str, Result<Outcome, Error>)> = futures::stream::iter(jobs)
        .map(|job| {
            let (read, store, name) = (read.clone(), store.clone(), job.model.name());
            async move { (name, run(&read, &store, job.model, job.options, job.meter).await) }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    watch.end();
    let swapped = results.iter().all(|(_, result)| result.as_ref().is_ok_and(|one| one.swapped.is_some()));
    if as_json {
        let rows: Vec<_> = results.iter().map(|(name, result)| as_row(name, result)).collect();
        println!("{}", json!({"ok": swapped, "models": rows}));
    } else {
        results.iter().for_each(|(name, result)| print(name, result));
    }
    Ok(if swapped { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn jobs(arguments: &Arguments) -> Result<Vec<Job>> {
    let models = if arguments.all {
        projections::models()
    } else {
        let mut named = Vec::new();
        for name in &arguments.names {
            named.push(super::model(name)?);
        }
        named
    };
    let cores = available_parallelism().map_or(1, usize::from);
    let each = (cores / models.len().min(AT_ONCE)).max(1);
    let mut jobs: Vec<Job> = Vec::new();
    for model in models {
        if jobs.iter().any(|job| job.model.name() == model.name()) {
            bail!("{} is named twice", model.name());
        }
        let options = Options {
            workers: arguments.workers.unwrap_or_else(|| workers(model.as_ref(), each)),
            restart: arguments.restart,
            accept_differences: arguments.accept_differences,
        };
        jobs.push(Job { model: Arc::from(model), options, meter: Arc::default() });
    }
    Ok(jobs)
}

fn print(name: &str, result: &Result<Outcome, Error>) {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => return println!("{name:<14}not rebuilt: {error}"),
    };
    let folded = format!("{} events in {:.1} s", outcome.events, outcome.took.as_secs_f64());
    match outcome.swapped {
        Some(position) => {
            println!("{name:<14}swapped at {position}, {folded}; {}", said(&outcome.compared));
        }
        None => println!("{name:<14}not swapped, {folded}; {}", said(&outcome.compared)),
    }
    if let Compared::Different(differences) = &outcome.compared {
        differences.named.iter().for_each(|difference| println!("    {difference}"));
        let more = differences.count - differences.named.len() as u64;
        if more > 0 {
            println!("    and {more} more");
        }
    }
}

/// What came of comparing, in words.
fn said(compared: &Compared) -> String {
    match compared {
        Compared::Equal(position) => format!("equal at {position}"),
        Compared::Different(differences) => format!("{} rows differ", differences.count),
        Compared::OtherVersion(version) => {
            format!("not compared: the rows were of version {version}, and have another shape now")
        }
        Compared::OtherEpoch => "not compared: the rows were of another log".to_owned(),
        Compared::NeverFolded => "not compared: it was never folded".to_owned(),
        Compared::Before => "compared before it was interrupted".to_owned(),
    }
}

fn as_row(name: &str, result: &Result<Outcome, Error>) -> Value {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => return json!({"name": name, "swapped": false, "error": error.to_string()}),
    };
    let (result, differences) = match &outcome.compared {
        Compared::Equal(_) => ("equal", None),
        Compared::Different(differences) => ("different", Some(differences)),
        Compared::OtherVersion(_) => ("other_version", None),
        Compared::OtherEpoch => ("other_epoch", None),
        Compared::NeverFolded => ("never_folded", None),
        Compared::Before => ("before", None),
    };
    json!({
        "name": name,
        "swapped": outcome.swapped.is_some(),
        "position": outcome.swapped.map(|position| position.0),
        "events": outcome.events,
        "seconds": outcome.took.as_secs_f64(),
        "compared": result,
        "differences": differences.map(|found| json!({"count": found.count, "named": found.named})),
    })
}
