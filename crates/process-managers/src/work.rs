//! Claiming steps that are due, and doing them, many at once.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::StreamId;
use domain::process::Step;
use event_store::{Loaded, Wanted};
use futures::FutureExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::Runner;
use crate::execute::{Task, stream_of};
use crate::steps::{self, Claimed, Ended, Finished};

/// Before a database that is away is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// Claims and does until it is time to stop, then waits a little for what is under way.
pub(crate) async fn run(runner: &Arc<Runner>, ended: mpsc::Sender<Finished>) {
    let mut under_way = JoinSet::new();
    while !runner.shutdown.is_cancelled() {
        while under_way.try_join_next().is_some() {}
        let free = runner.options.in_flight_max.saturating_sub(under_way.len());
        let claimed = if free == 0 { 0 } else { start(runner, free, &mut under_way, &ended).await };
        if free > 0 && claimed == free {
            continue;
        }
        tokio::select! {
            () = runner.shutdown.cancelled() => {}
            _ = under_way.join_next(), if free == 0 => {}
            () = runner.due.notified(), if free > 0 => {}
            () = tokio::time::sleep(runner.options.poll), if free > 0 => {}
        }
    }
    let rest = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(runner.options.stop_max, rest).await.is_err() {
        tracing::warn!(steps = under_way.len(), "steps are still under way; they are given back");
    }
}

/// Claims up to `free` steps and starts them. How many it were.
async fn start(
    runner: &Arc<Runner>,
    free: usize,
    under_way: &mut JoinSet<()>,
    ended: &mpsc::Sender<Finished>,
) -> usize {
    let claimed = match steps::claim(&runner.pool, runner.id, runner.options.lease, free).await {
        Ok(claimed) => claimed,
        Err(error) => {
            tracing::warn!(%error, "steps cannot be claimed; it is tried again");
            tokio::time::sleep(PAUSE).await;
            return 0;
        }
    };
    let count = claimed.len();
    // A claim that ended while its try goes on is ours again; that try is not made twice.
    let fresh = claimed.into_iter().filter(|claimed| runner.in_flight.add(&claimed.key));
    let tasks: Vec<_> = fresh.map(|claimed| (serde_json::from_str(&claimed.step), claimed)).collect();
    let wanted = tasks.iter().filter_map(|(step, _)| step.as_ref().ok().and_then(stream_of));
    let mut loaded = load(runner, wanted).await;
    for (step, claimed) in tasks {
        let (runner, ended) = (Arc::clone(runner), ended.clone());
        let task = match step {
            Ok(step) => prepare(&runner, step, claimed.clone(), &mut loaded),
            Err(error) => Err(Ended::Attention(format!("this program cannot read the step: {error}"))),
        };
        under_way.spawn(async move {
            let result = match task {
                Ok(task) => attempt(&task).await,
                Err(ended) => ended,
            };
            report(&claimed, &result);
            // When nobody listens any more, the claim ends with its lease.
            let _ = ended.send(Finished { key: claimed.key, ended: result }).await;
        });
    }
    count
}

type States = Result<HashMap<StreamId, Loaded>, event_store::Error>;

/// The streams of all claimed steps, with one query.
async fn load(runner: &Runner, streams: impl Iterator<Item = StreamId>) -> States {
    let mut wanted: Vec<_> = streams.map(|stream| Wanted { stream, after_version: 0 }).collect();
    wanted.sort_by(|left, right| left.stream.cmp(&right.stream));
    wanted.dedup_by(|left, right| left.stream == right.stream);
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let loaded = runner.store.load(&wanted).await?;
    Ok(loaded.into_iter().map(|loaded| (loaded.stream.clone(), loaded)).collect())
}

fn prepare(runner: &Arc<Runner>, step: Step, claimed: Claimed, states: &mut States) -> Result<Task, Ended> {
    let loaded = match (stream_of(&step), states) {
        (None, _) => None,
        (Some(stream), Ok(states)) => states.get(&stream).cloned(),
        (Some(_), Err(error)) => {
            let pause = runner.options.pause(claimed.attempts);
            return Err(Ended::Later { pause, why: format!("its stream cannot be loaded: {error}") });
        }
    };
    Ok(Task { runner: Arc::clone(runner), step, claimed, loaded })
}

/// One try. Whatever goes wrong in it ends this step's try and nothing else.
async fn attempt(task: &Task) -> Ended {
    let options = task.runner.options;
    let trying = AssertUnwindSafe(task.run()).catch_unwind();
    match tokio::time::timeout(options.try_max, trying).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(_)) => task.later("a defect of this program"),
        Err(_) => task.later("it took too long"),
    }
}

fn report(claimed: &Claimed, ended: &Ended) {
    let name = serde_json::from_str::<Step>(&claimed.step).map_or("unreadable", |step| step.name());
    let (key, correlation_id) = (&claimed.key, claimed.cause.correlation_id);
    match ended {
        Ended::Done => {
            metrics::counter!("process_steps_done", "step" => name).increment(1);
            tracing::debug!(%key, %correlation_id, "a step is done");
        }
        Ended::Later { why, pause } => {
            metrics::counter!("process_step_retries", "step" => name).increment(1);
            tracing::debug!(%key, %correlation_id, why, ?pause, "a step is tried again later");
        }
        Ended::Busy => tracing::debug!(%key, %correlation_id, "a step waits for a busy gateway"),
        Ended::Attention(why) => {
            metrics::counter!("process_steps_attention", "step" => name).increment(1);
            tracing::error!(%key, %correlation_id, why, "a step cannot be done: somebody must look");
        }
    }
}
