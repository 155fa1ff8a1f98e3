//! Taking in: the log goes in, steps are written down. One runner at a time does it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::process::{Happened, react};
use event_store::{Position, Received, Recorded};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use crate::execute::stream_of;
use crate::recent::Recent;
use crate::steps::{self, Cause, Checkpoint, Claimed, Taken};
use crate::work::Handed;
use crate::{Error, Runner, unread};

/// Events taken in with one statement.
const BATCH: u32 = 500;
/// Before a database that is away is asked again.
const PAUSE: Duration = Duration::from_millis(250);
/// How often events are read again that could not be read.
const READ_AGAIN_EVERY: Duration = Duration::from_secs(30);
/// How often the checkpoint is moved past what nothing follows from.
const MOVE_EVERY: Duration = Duration::from_millis(100);

/// Takes in whenever this runner leads.
pub(crate) async fn run(runner: &Runner, hand: &mpsc::UnboundedSender<Vec<Handed>>) -> Result<(), Error> {
    let mut leads = false;
    while !runner.shutdown.is_cancelled() {
        match steps::lead(&runner.pool, runner.id, runner.options.lease).await {
            Ok(Some(checkpoint)) => {
                if !std::mem::replace(&mut leads, true) {
                    tracing::info!(runner = %runner.id, position = %checkpoint.position, "this process manager leads");
                }
                follow(runner, check(checkpoint)?, hand).await?;
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
async fn follow(
    runner: &Runner,
    checkpoint: Checkpoint,
    hand: &mpsc::UnboundedSender<Vec<Handed>>,
) -> Result<(), Error> {
    let (pool, lease) = (&runner.pool, runner.options.lease);
    let mut feed = runner.store.feed(checkpoint.position);
    let mut intake = Intake { runner, hand, checkpoint, recent: Recent::default() };
    let mut renew = tokio::time::interval(lease / 3);
    renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
    renew.reset();
    let mut moved_at = Instant::now();
    // The first time at once: another program may lead now.
    let mut again = tokio::time::interval(READ_AGAIN_EVERY);
    loop {
        let is_behind = intake.checkpoint.position < feed.position();
        let events = tokio::select! {
            biased;
            () = runner.shutdown.cancelled() => {
                intake.take(feed.position(), Vec::new()).await;
                return Ok(());
            }
            _ = renew.tick() => {
                match steps::lead(pool, runner.id, lease).await {
                    Ok(Some(still)) if still.position == intake.checkpoint.position => drop(check(still)?),
                    _ => return Ok(()),
                }
                continue;
            }
            _ = again.tick() => {
                if !intake.read_again().await? {
                    return Ok(());
                }
                continue;
            }
            () = tokio::time::sleep_until(moved_at + MOVE_EVERY), if is_behind => Ok(Vec::new()),
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
        let Some(steps) = intake.steps_after(events).await else { return Ok(()) };
        // Where nothing follows from what has happened, it costs little to take it in again.
        if !steps.is_empty() || moved_at.elapsed() >= MOVE_EVERY {
            if !intake.take(feed.position(), steps).await {
                return Ok(());
            }
            moved_at = Instant::now();
        }
        let behind = runner.store.wake().known().0.saturating_sub(feed.position().0);
        metrics::gauge!("process_lag_events").set(behind as f64);
    }
}

/// Takes in for one lead.
struct Intake<'a> {
    runner: &'a Runner,
    hand: &'a mpsc::UnboundedSender<Vec<Handed>>,
    /// As it is stored.
    checkpoint: Checkpoint,
    recent: Recent,
}

impl Intake<'_> {
    /// What follows from these events. What cannot be read is written down first. `None`: the database is away.
    async fn steps_after(&self, events: Vec<Received>) -> Option<Vec<Taken>> {
        let (mut steps, mut unreadable) = (Vec::new(), Vec::new());
        for received in events {
            match received {
                Ok(recorded) => {
                    self.recent.note(&recorded);
                    steps.extend(steps_after(&recorded));
                }
                Err(event) => unreadable.push(event),
            }
        }
        if !unreadable.is_empty()
            && let Err(error) = unread::write_down(&self.runner.pool, &unreadable).await
        {
            tracing::warn!(%error, "what cannot be read cannot be written down; it is tried again");
            pause(self.runner, PAUSE).await;
            return None;
        }
        Some(steps)
    }

    /// Takes in what could not be read before and can be now. `false`: the lead is lost, or the database is away.
    async fn read_again(&mut self) -> Result<bool, Error> {
        let mut after = Some(Position(0));
        while let Some(from) = after {
            after = match self.read_again_after(from).await? {
                Some(next) => next,
                None => return Ok(false),
            };
        }
        Ok(true)
    }

    /// The same for some of it: where the next ones are.
    async fn read_again_after(&mut self, after: Position) -> Result<Option<Option<Position>>, Error> {
        let Runner { pool, store, .. } = self.runner;
        let unread::Again { events, settled, next } = match unread::read_again(pool, store, after).await {
            Ok(again) => again,
            Err(error) if error.is_outage() => {
                tracing::warn!(%error, "the log cannot be read; it is tried again");
                pause(self.runner, PAUSE).await;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if settled.is_empty() {
            return Ok(Some(next));
        }
        let steps = events.iter().flat_map(steps_after).collect();
        if !self.take(self.checkpoint.position, steps).await {
            return Ok(None);
        }
        tracing::info!(events = events.len(), "what could not be read before was taken in");
        if let Err(error) = unread::forget(pool, &settled).await {
            // Then they are taken in once more, which changes nothing.
            tracing::warn!(%error, "events that were read in the end are still taken for unread");
        }
        Ok(Some(next))
    }

    /// Writes steps down with the checkpoint, and hands on those that can be done at once. `false`: the lead is lost, or the database is
    /// away.
    async fn take(&mut self, to: Position, mut steps: Vec<Taken>) -> bool {
        let Runner { pool, id, places, options, .. } = self.runner;
        if steps.is_empty() && to == self.checkpoint.position {
            return true;
        }
        let mut held = HashMap::new();
        for taken in steps.iter_mut().filter(|taken| taken.is_due()) {
            if let Ok(place) = Arc::clone(places).try_acquire_owned() {
                taken.claim = true;
                held.insert(taken.step.key(), place);
            }
        }
        let claimed = match steps::take_in(pool, *id, options.lease, self.checkpoint, to, &steps).await {
            Ok(Some(claimed)) => claimed,
            Ok(None) => return false,
            Err(error) => {
                tracing::warn!(%error, "steps cannot be written down; it is tried again");
                pause(self.runner, PAUSE).await;
                return false;
            }
        };
        self.checkpoint.position = to;
        if steps.iter().filter(|taken| taken.is_due()).count() > claimed.len() {
            self.runner.due.notify_one();
        }
        let claimed: HashSet<String> = claimed.into_iter().collect();
        let handed = steps.into_iter().filter_map(|Taken { step, cause, .. }| {
            let key = step.key();
            let place = held.remove(&key).filter(|_| claimed.contains(&key))?;
            let loaded = stream_of(&step).and_then(|stream| self.recent.loaded(&stream));
            // A step whose claim has ended is tried already, when it is in flight.
            let fresh = self.runner.in_flight.add(&key);
            fresh.then_some(Handed { step, claimed: Claimed { key, cause, attempts: 1 }, loaded, place })
        });
        let handed: Vec<_> = handed.collect();
        if !handed.is_empty() {
            // When it is time to stop, nobody takes them: they are given back.
            let _ = self.hand.send(handed);
        }
        true
    }
}

fn steps_after(recorded: &Recorded) -> Vec<Taken> {
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
    react(&happened).into_iter().map(|step| Taken { step, cause: cause(), claim: false }).collect()
}
