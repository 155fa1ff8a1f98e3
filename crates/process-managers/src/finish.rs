//! Writing down what has ended, many steps with one statement, and keeping the claims of what has not.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::Runner;
use crate::steps::{self, Finished};

/// Steps written down with one statement.
const BATCH: usize = 512;
/// How long others are waited for.
const GATHER: Duration = Duration::from_millis(20);
/// Before a database that is away is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// Goes on until nothing more can end.
pub(crate) async fn run(runner: &Runner, mut finished: mpsc::Receiver<Finished>) {
    let pool = &runner.pool;
    let mut renew = tokio::time::interval(runner.options.lease / 3);
    renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            _ = renew.tick() => {
                let renewed = steps::renew(pool, runner.id, runner.options.lease, &runner.in_flight.all()).await;
                match (renewed, steps::waiting(pool).await) {
                    (Ok(()), Ok(waiting)) => metrics::gauge!("process_steps_waiting").set(waiting as f64),
                    (Err(error), _) | (_, Err(error)) => {
                        tracing::warn!(%error, "claims cannot be kept; others may take the steps over");
                    }
                }
            }
            count = finished.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return;
                }
                gather(runner, &mut finished, &mut batch).await;
                // Before it is written: from then on a step may be claimed once more, and must not be taken out then.
                runner.in_flight.remove(batch.iter().map(|each| each.key.as_str()));
                write(runner, &batch).await;
                batch.clear();
            }
        }
    }
}

/// What ends in the next moment is written down with it. Nobody waits for that: should it be lost, what is done is done again, to no
/// effect.
async fn gather(runner: &Runner, finished: &mut mpsc::Receiver<Finished>, batch: &mut Vec<Finished>) {
    tokio::select! {
        () = runner.shutdown.cancelled() => {}
        () = tokio::time::sleep(GATHER) => {}
    }
    while batch.len() < BATCH
        && let Ok(another) = finished.try_recv()
    {
        batch.push(another);
    }
}

/// Until it is written. When it is time to stop, it is tried once: what is not written down is done again, to no effect.
async fn write(runner: &Runner, batch: &[Finished]) {
    while let Err(error) = steps::finish(&runner.pool, runner.id, batch).await {
        tracing::warn!(%error, "ended steps cannot be written down; it is tried again");
        if runner.shutdown.is_cancelled() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
