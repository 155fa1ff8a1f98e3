//! Keeps the parts of a process running, and stops them in order.

use std::fmt::Display;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::probes::Down;

const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// Parts that have not stopped by then are left behind.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// Parts that stop together.
#[derive(Debug)]
pub(super) struct Parts {
    down: Down,
    /// Cancelled, they stop.
    pub(super) shutdown: CancellationToken,
    /// Cancelled when one has ended that cannot be started again.
    broken: CancellationToken,
    running: Vec<(&'static str, JoinHandle<()>)>,
}

impl Parts {
    /// None yet.
    pub(super) fn new(down: &Down, broken: &CancellationToken) -> Self {
        let (down, broken) = (down.clone(), broken.clone());
        Self { down, shutdown: CancellationToken::new(), broken, running: Vec::new() }
    }

    /// Runs a part that can be started again when it fails: with growing pauses, for as long as it takes.
    pub(super) fn keep<F, R, E>(&mut self, name: &'static str, mut start: F)
    where
        F: FnMut(CancellationToken) -> R + Send + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let (down, shutdown) = (self.down.clone(), self.shutdown.clone());
        self.running.push((
            name,
            tokio::spawn(async move {
                let mut pause = PAUSE_MIN;
                loop {
                    // A task of its own, so that a panic in it is a failure like any other.
                    let begun = tokio::time::Instant::now();
                    let ended = tokio::spawn(start(shutdown.clone())).await;
                    if shutdown.is_cancelled() {
                        return;
                    }
                    down.add(name);
                    match ended {
                        Ok(Ok(())) => tracing::error!("the {name} has ended; it is started again"),
                        Ok(Err(error)) => {
                            tracing::error!(%error, "the {name} has failed; it is started again: {error}")
                        }
                        Err(_) => {
                            tracing::error!("the {name} has panicked; this is a defect; it is started again")
                        }
                    }
                    pause = if begun.elapsed() > PAUSE_MAX { PAUSE_MIN } else { (pause * 2).min(PAUSE_MAX) };
                    tokio::select! {
                        () = shutdown.cancelled() => return,
                        () = tokio::time::sleep(pause) => down.remove(name),
                    }
                }
            }),
        ));
    }

    /// Runs a part that cannot be started again: when it ends too early, the process must.
    pub(super) fn once<R, E>(&mut self, name: &'static str, part: R)
    where
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let (down, shutdown, broken) = (self.down.clone(), self.shutdown.clone(), self.broken.clone());
        self.running.push((
            name,
            tokio::spawn(async move {
                let ended = tokio::spawn(part).await;
                match ended {
                    Ok(Ok(())) if shutdown.is_cancelled() => return,
                    Ok(Ok(())) => tracing::error!("the {name} has ended"),
                    Ok(Err(error)) => tracing::error!(%error, "the {name} has failed: {error}"),
                    Err(_) => tracing::error!("the {name} has panicked; this is a defect"),
                }
                down.add(name);
                broken.cancel();
            }),
        ));
    }

    /// Stops them, and waits until they have.
    pub(super) async fn stop(self) {
        self.shutdown.cancel();
        let deadline = tokio::time::Instant::now() + STOP_DEADLINE;
        for (name, part) in self.running {
            if tokio::time::timeout_at(deadline, part).await.is_err() {
                tracing::warn!("the {name} did not stop in time");
            }
        }
    }
}

/// Waits until the process is told to stop.
///
/// # Errors
/// When a part has ended that it cannot do without.
pub(super) async fn until_stopped(signalled: &CancellationToken, broken: &CancellationToken) -> Result<()> {
    tokio::select! {
        () = signalled.cancelled() => Ok(()),
        () = broken.cancelled() => bail!("a part that nothing works without has ended; the log says which"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_fails_or_panics_is_started_again_and_stops_when_told() {
        let (down, broken) = (Down::default(), CancellationToken::new());
        let mut parts = Parts::new(&down, &broken);
        let starts = Arc::new(AtomicU32::new(0));
        let (counted, third) = (Arc::clone(&starts), CancellationToken::new());
        let reached = third.clone();
        parts.keep("part", move |shutdown| {
            let (count, reached) = (counted.fetch_add(1, Ordering::SeqCst), reached.clone());
            async move {
                match count {
                    0 => Err("no"),
                    1 => panic!("no"),
                    _ => {
                        reached.cancel();
                        shutdown.cancelled().await;
                        Ok(())
                    }
                }
            }
        });
        tokio::time::timeout(Duration::from_secs(30), third.cancelled()).await.unwrap();
        parts.stop().await;
        assert_eq!(starts.load(Ordering::SeqCst), 3);
        assert!(!broken.is_cancelled());
    }

    #[tokio::test]
    async fn what_cannot_be_started_again_breaks_the_process() {
        let (down, broken) = (Down::default(), CancellationToken::new());
        let mut parts = Parts::new(&down, &broken);
        parts.once("part", async { Err::<(), _>("no") });
        let signalled = CancellationToken::new();
        let ended = until_stopped(&signalled, &broken);
        tokio::time::timeout(Duration::from_secs(30), ended).await.unwrap().unwrap_err();
        parts.stop().await;
    }
}
