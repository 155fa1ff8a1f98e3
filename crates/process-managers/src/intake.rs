//! Taking in: the log goes in, steps are written down. One runner at a time does it.

use std::time::Duration;

use domain::process::{Happened, Step, react};
use event_store::Recorded;
use tokio::time::MissedTickBehavior;

use crate::steps::{self, Cause, Checkpoint};
use crate::{Error, Runner};

/// Events taken in with one statement.
const BATCH: u32 = 500;
/// Before a database that is away is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// Takes in whenever this runner leads.
pub(crate) async fn run(runner: &Runner) -> Result<(), Error> {
    let mut leads = false;
    while !runner.shutdown.is_cancelled() {
        match steps::lead(&runner.pool, runner.id, runner.options.lease).await {
            Ok(Some(checkpoint)) => {
                if !std::mem::replace(&mut leads, true) {
                    tracing::info!(runner = %runner.id, position = %checkpoint.position, "this process manager leads");
                }
                follow(runner, check(checkpoint)?).await?;
            }
            Ok(None) => {
                leads = false;
                pause(runner, runner.options.lease / 4).await;
            }
            Err(error) => {
                tracing::warn!(%error, "the database does not answer; the log is not taken in");
                pause(runner, PAUSE).await;
            }
        }
    }
    Ok(())
}

fn check(checkpoint: Checkpoint) -> Result<Checkpoint, Error> {
    let Checkpoint { epoch: known, log_epoch: found, position } = checkpoint;
    if known == found { Ok(checkpoint) } else { Err(Error::Epoch { known, found, position }) }
}

async fn pause(runner: &Runner, pause: Duration) {
    tokio::select! {
        () = runner.shutdown.cancelled() => {}
        () = tokio::time::sleep(pause) => {}
    }
}

/// Follows the log until the lead is lost, the database is away, or it is time to stop.
async fn follow(runner: &Runner, mut checkpoint: Checkpoint) -> Result<(), Error> {
    let (pool, lease) = (&runner.pool, runner.options.lease);
    let mut feed = runner.store.feed(checkpoint.position);
    let mut renew = tokio::time::interval(lease / 3);
    renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
    renew.reset();
    loop {
        let events = tokio::select! {
            biased;
            () = runner.shutdown.cancelled() => return Ok(()),
            _ = renew.tick() => {
                match steps::lead(pool, runner.id, lease).await {
                    Ok(Some(still)) if still.position == checkpoint.position => drop(check(still)?),
                    _ => return Ok(()),
                }
                continue;
            }
            events = feed.next(BATCH) => events,
        };
        let events = match events {
            Ok(events) => events,
            Err(event_store::Error::Unavailable(error)) => {
                tracing::warn!(%error, "the log cannot be read; it is tried again");
                pause(runner, PAUSE).await;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let steps: Vec<_> = events.iter().flat_map(steps_after).collect();
        match steps::take_in(pool, runner.id, lease, checkpoint, feed.position(), &steps).await {
            Ok(true) => checkpoint.position = feed.position(),
            Ok(false) => return Ok(()),
            Err(error) => {
                tracing::warn!(%error, "steps cannot be written down; it is tried again");
                pause(runner, PAUSE).await;
                return Ok(());
            }
        }
        if !steps.is_empty() {
            runner.due.notify_one();
        }
        let behind = runner.store.wake().known().0.saturating_sub(checkpoint.position.0);
        metrics::gauge!("process_lag_events").set(behind as f64);
    }
}

fn steps_after(recorded: &Recorded) -> Vec<(Step, Cause)> {
    let happened = Happened {
        event: &recorded.event,
        stream: &recorded.stream,
        position: recorded.position.0,
        recorded_at: recorded.recorded_at,
    };
    let cause = || Cause {
        position: recorded.position,
        event_id: recorded.event_id,
        correlation_id: recorded.metadata.correlation_id,
        traceparent: recorded.metadata.traceparent.clone(),
        recorded_at: recorded.recorded_at,
    };
    react(&happened).into_iter().map(|step| (step, cause())).collect()
}
