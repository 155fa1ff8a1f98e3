//! Claiming steps that are due, and doing them, many at once.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::StreamId;
use domain::process::Step;
use event_store::{Loaded, Wanted};
use futures::FutureExt;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::Runner;
use crate::execute::{Task, stream_of};
use crate::steps::{self, Claimed, Ended, Finished};

/// Before a database that is away is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// A claimed step on its way to be done, with its place among those under way.
pub(crate) struct Handed {
    pub(crate) step: Step,
    pub(crate) claimed: Claimed,
    /// Its stream, when that is known already.
    pub(crate) loaded: Option<Loaded>,
    pub(crate) place: OwnedSemaphorePermit,
}

/// Claims and does until it is time to stop, then waits a little for what is under way. What was claimed when it was written down comes
/// through `handed`.
pub(crate) async fn run(
    runner: &Arc<Runner>,
    ended: mpsc::Sender<Finished>,
    mut handed: mpsc::UnboundedReceiver<Vec<Handed>>,
) {
    let mut under_way = JoinSet::new();
    let mut poll = tokio::time::interval(runner.options.poll);
    poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // More may be due than there was room for.
    let mut full = false;
    loop {
        let look = tokio::select! {
            biased;
            () = runner.shutdown.cancelled() => break,
            Some(steps) = handed.recv() => {
                begin(runner, steps, &mut under_way, &ended).await;
                false
            }
            Some(_) = under_way.join_next(), if !under_way.is_empty() => full,
            () = runner.due.notified() => true,
            _ = poll.tick() => true,
        };
        if look {
            full = start(runner, &mut under_way, &ended).await;
        }
    }
    let rest = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(runner.options.stop_max, rest).await.is_err() {
        tracing::warn!(steps = under_way.len(), "steps are still under way; they are given back");
    }
}

/// Claims as many steps as there is room for, and starts them. Whether the room did not suffice.
async fn start(runner: &Arc<Runner>, under_way: &mut JoinSet<()>, ended: &mpsc::Sender<Finished>) -> bool {
    let room = runner.places.available_permits();
    let Some(mut places) = places(runner, room) else { return true };
    let claimed = match steps::claim(&runner.pool, runner.id, runner.options.lease, room).await {
        Ok(claimed) => claimed,
        Err(error) => {
            tracing::warn!(%error, "steps cannot be claimed; it is tried again");
            tokio::time::sleep(PAUSE).await;
            return false;
        }
    };
    let full = claimed.len() == room;
    let mut steps = Vec::with_capacity(claimed.len());
    for (step, claimed) in claimed {
        // A claim that ended while its try goes on is ours again; that try is not made twice.
        if !runner.in_flight.add(&claimed.key) {
            continue;
        }
        match (serde_json::from_str(&step), places.split(1)) {
            (Ok(step), Some(place)) => steps.push(Handed { step, claimed, loaded: None, place }),
            (Err(error), _) => {
                let why = format!("this program cannot read the step: {error}");
                end(ended, "unreadable", claimed, Ended::Attention(why)).await;
            }
            (Ok(_), None) => end(ended, "busy", claimed, Ended::Busy).await,
        }
    }
    drop(places);
    begin(runner, steps, under_way, ended).await;
    full
}

/// So many places among those under way. `None`: there are none.
fn places(runner: &Runner, room: usize) -> Option<OwnedSemaphorePermit> {
    let room = u32::try_from(room).ok().filter(|room| *room > 0)?;
    Arc::clone(&runner.places).try_acquire_many_owned(room).ok()
}

/// Starts claimed steps, each as a task.
async fn begin(
    runner: &Arc<Runner>,
    steps: Vec<Handed>,
    under_way: &mut JoinSet<()>,
    ended: &mpsc::Sender<Finished>,
) {
    let wanted = steps.iter().filter(|handed| handed.loaded.is_none());
    let states = load(runner, wanted.filter_map(|handed| stream_of(&handed.step))).await;
    for Handed { step, claimed, loaded, place } in steps {
        let (ended, name) = (ended.clone(), step.name());
        let task = prepare(runner, step, claimed.clone(), loaded, &states);
        under_way.spawn(async move {
            let result = match task {
                Ok(task) => attempt(&task).await,
                Err(ended) => ended,
            };
            end(&ended, name, claimed, result).await;
            drop(place);
        });
    }
}

/// Has it written down what a try came to. When nobody listens any more, the claim ends with its lease.
async fn end(ended: &mpsc::Sender<Finished>, name: &'static str, claimed: Claimed, result: Ended) {
    report(name, &claimed, &result);
    let _ = ended.send(Finished { key: claimed.key, ended: result }).await;
}

/// Each stream that was wanted, as it is, or why it cannot be said.
type States = HashMap<StreamId, Result<Loaded, String>>;

/// The streams of all claimed steps, with one query; when one of them cannot be read, with one each, so that it holds up its own steps only.
async fn load(runner: &Runner, streams: impl Iterator<Item = StreamId>) -> States {
    let mut wanted: Vec<_> = streams.map(|stream| Wanted { stream, after_version: 0 }).collect();
    wanted.sort_by(|left, right| left.stream.cmp(&right.stream));
    wanted.dedup_by(|left, right| left.stream == right.stream);
    let mut states = States::new();
    let mut parts = vec![wanted];
    while let Some(part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        match runner.store.load(&part).await {
            Ok(loaded) => states.extend(loaded.into_iter().map(|loaded| (loaded.stream.clone(), Ok(loaded)))),
            Err(error) if error.is_outage() || part.len() == 1 => {
                let why = error.to_string();
                states.extend(part.into_iter().map(|each| (each.stream, Err(why.clone()))));
            }
            Err(_) => parts.extend(part.into_iter().map(|each| vec![each])),
        }
    }
    states
}

fn prepare(
    runner: &Arc<Runner>,
    step: Step,
    claimed: Claimed,
    loaded: Option<Loaded>,
    states: &States,
) -> Result<Task, Ended> {
    let loaded = match (stream_of(&step), states) {
        (Some(_), _) if loaded.is_some() => loaded,
        (None, _) => None,
        (Some(stream), states) => match states.get(&stream) {
            Some(Ok(loaded)) => Some(loaded.clone()),
            Some(Err(error)) => {
                let pause = runner.options.pause(claimed.attempts);
                return Err(Ended::Later { pause, why: format!("its stream cannot be loaded: {error}") });
            }
            None => None,
        },
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

fn report(name: &'static str, claimed: &Claimed, ended: &Ended) {
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
