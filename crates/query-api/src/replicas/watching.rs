//! Looks every moment how each server is: whether it answers, and how far its read models are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::Set;
use super::history::{History, Positions, positions};
use super::server::{PRIMARY, Server, State};

/// The pause between two looks at a server.
const EVERY: Duration = Duration::from_millis(200);
/// A server that takes longer to say how far it is does not answer.
const LOOK: Duration = Duration::from_secs(1);

/// What the primary had, for those who look at its replicas.
#[derive(Clone, Default)]
struct Primary(Arc<Mutex<History>>);

impl Primary {
    fn history(&self) -> MutexGuard<'_, History> {
        // A panic elsewhere leaves a history that is whole: every change of it is one call.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches every server until `shutdown`, or until nobody uses them any more.
pub(super) fn watch(set: &Arc<Set>, shutdown: &CancellationToken) {
    if set.replicas.is_empty() {
        return;
    }
    let primary = Primary::default();
    for number in PRIMARY..=set.replicas.len() {
        let watching = keep_looking(Arc::downgrade(set), number, primary.clone());
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = watching => {}
            }
        });
    }
}

async fn keep_looking(set: Weak<Set>, number: usize, primary: Primary) {
    while let Some(set) = set.upgrade() {
        let server = set.server(number);
        let seen = look(server).await;
        if number == PRIMARY {
            note(server, seen, &primary, set.patience.lag_max);
        } else {
            judge(server, seen, &primary);
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = server.suspected.notified() => {}
        }
    }
}

/// How far its read models are. `None`: it does not answer.
async fn look(server: &Server) -> Option<Positions> {
    let progress = timeout(LOOK, projections::progress(&server.looks)).await.ok()?.ok()?;
    Some(positions(&progress))
}

/// The primary is asked whatever is seen of it, but not before the replicas when it is away. What it had last stands until it
/// answers again: a look that came too late must not make a replica well that lags.
fn note(server: &Server, seen: Option<Positions>, primary: &Primary, kept: Duration) {
    server.is(if seen.is_some() { State::Well } else { State::Away });
    if let Some(positions) = seen {
        primary.history().add(Instant::now(), positions, kept);
    }
}

/// How far behind a replica is that does not answer is not known: its lag is no number then.
fn judge(server: &Server, seen: Option<Positions>, primary: &Primary) {
    let replica = server.name.clone();
    let (state, lag) = match seen {
        None => (State::Away, f64::NAN),
        Some(positions) => {
            let history = primary.history();
            let state = if history.outruns(&positions) { State::Lagging } else { State::Well };
            (state, history.lag(&positions) as f64)
        }
    };
    server.is(state);
    let well = if state == State::Well { 1.0 } else { 0.0 };
    metrics::gauge!("query_replica_healthy", "source" => replica.clone()).set(well);
    metrics::gauge!("query_replica_lag_events", "source" => replica).set(lag);
}
