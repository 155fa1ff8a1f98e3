//! Batches on their way: one, and one that was sent behind it before it was answered.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use event_store::{Appended, Batch, Encoded, EventStore, Front, Head, Proposed};
use tokio::time::Instant;

use super::Job;
use super::memory::Grown;
use super::run::{Draft, Running, Underway, within};

/// Between two tries when the database is away, at most.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// What came of sending a batch.
pub(super) struct Sent {
    pub(super) appended: Result<Appended, event_store::Error>,
    pub(super) tries: u32,
    pub(super) began: Instant,
}

pub(super) type Sending = Pin<Box<dyn Future<Output = Sent> + Send>>;

/// A batch on its way.
pub(super) struct Flight {
    pub(super) batch: Arc<Batch>,
    /// Where the log ended when it was sent, as far as was known; of one that was sent behind another, where that one ends.
    pub(super) known: Head,
    pub(super) underway: Vec<Underway>,
    /// States to be kept as snapshots once the batch is confirmed.
    pub(super) grown: Vec<Grown>,
    pub(super) sending: Sending,
    /// It was answered at once.
    pub(super) answered: Option<Sent>,
    /// A try was not answered: what is sent behind it would most likely be lost as well.
    pub(super) is_late: Arc<AtomicBool>,
    /// What can be sent behind it must be told. `None`: nothing can.
    pub(super) leaves: Option<Front>,
}

/// What is known of a batch that is sent behind another one.
pub(super) enum Early {
    /// It is in the log, behind that one.
    Came(Appended),
    /// It is not, and will not be.
    NotDone,
    /// The connection was lost.
    Unknown,
}

/// A batch on its way behind another one. It comes right behind that one, or is sent again when that one is known to be in the log.
pub(super) struct Second {
    pub(super) batch: Arc<Batch>,
    pub(super) encoded: Arc<[Encoded]>,
    pub(super) known: Head,
    pub(super) underway: Vec<Underway>,
    pub(super) grown: Vec<Grown>,
    pub(super) leaves: Option<Front>,
    pub(super) last_deadline: Instant,
    pub(super) began: Instant,
    pub(super) early: Pin<Box<dyn Future<Output = Early> + Send>>,
    pub(super) heard: Option<Early>,
}

impl Second {
    pub(super) async fn hear(&mut self) {
        if self.heard.is_none() {
            self.heard = Some((&mut self.early).await);
        }
    }

    /// All of the batch in front is in the log.
    pub(super) fn land(self, store: EventStore) -> Flight {
        let Self { batch, encoded, known, underway, grown, leaves, last_deadline, began, early, heard } =
            self;
        let (again, is_late) = (Arc::clone(&batch), Arc::new(AtomicBool::new(false)));
        let late = Arc::clone(&is_late);
        let sending = Box::pin(async move {
            let heard = match heard {
                Some(heard) => heard,
                None => early.await,
            };
            let tries = match heard {
                Early::Came(appended) => return Sent { appended: Ok(appended), tries: 1, began },
                Early::NotDone => 0,
                Early::Unknown => 1,
            };
            send(store, again, encoded, tries, last_deadline, late).await
        });
        Flight { batch, known, underway, grown, sending, answered: None, is_late, leaves }
    }

    /// Not all of the batch in front is in the log: its commands, to be decided again. Whoever can be told nothing is told that.
    pub(super) async fn dissolve(mut self) -> Vec<Job> {
        self.hear().await;
        let came = match self.heard {
            Some(Early::Came(_)) => true,
            Some(Early::NotDone) => false,
            // What may come into the log at any time must not be decided again: it might be refused first.
            Some(Early::Unknown) | None => {
                Running::give_up(self.underway.into_iter().map(|each| each.job));
                return Vec::new();
            }
        };
        let job = |Underway { job, .. }| Job { is_sent: job.is_sent || came, ..job };
        self.underway.into_iter().map(job).collect()
    }
}

/// Hears what has come of a batch that was sent behind another one; otherwise nothing, for ever.
pub(super) async fn listen(second: &mut Option<Second>) {
    match second {
        Some(second) if second.heard.is_none() => second.hear().await,
        _ => std::future::pending().await,
    }
}

/// The batches on their way, in order, and the one that grows meanwhile.
pub(super) struct Sky {
    pub(super) first: Flight,
    /// Sent behind the first one, and decided on the states that it will leave.
    pub(super) second: Option<Second>,
    /// Decided on the states that both will leave.
    pub(super) next: Draft,
}

impl Sky {
    pub(super) fn of(first: Flight) -> Self {
        Self { first, second: None, next: Draft::default() }
    }

    /// The commands that nothing has come of yet, of all but the first batch.
    pub(super) fn later(&self) -> impl Iterator<Item = &Proposed> {
        let second = self.second.iter().flat_map(|second| &second.batch.commands);
        second.chain(&self.next.proposed)
    }

    /// The commands of all but the first batch, to be decided again.
    pub(super) async fn into_later_jobs(self) -> Vec<Job> {
        let mut jobs = match self.second {
            Some(second) => second.dissolve().await,
            None => Vec::new(),
        };
        jobs.extend(self.next.underway.into_iter().map(|each| each.job));
        jobs
    }
}

/// Does something while batches are on their way, to its end: what it has taken out of the queue must not be lost. Returns the answer to
/// the first one when that has come meanwhile.
pub(super) async fn beside(
    mut sent: Pin<&mut (dyn Future<Output = Sent> + Send)>,
    second: &mut Option<Second>,
    work: impl Future<Output = ()>,
) -> Option<Sent> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            () = &mut work => return None,
            answer = &mut sent => {
                work.await;
                return Some(answer);
            }
            () = listen(second) => {}
        }
    }
}

pub(super) fn last_deadline(underway: &[Underway]) -> Instant {
    underway.iter().map(|each| each.job.deadline).max().unwrap_or_else(Instant::now)
}

/// Sends a batch behind one that is not answered yet.
pub(super) async fn early(store: &EventStore, batch: &Batch, encoded: &[Encoded], front: Front) -> Early {
    let early = match within(store.append_behind(batch, encoded, front)).await {
        Ok(Some(appended)) => Early::Came(appended),
        Ok(None) => Early::NotDone,
        Err(error) => {
            tracing::warn!(%error, "a batch that was sent behind another one is not answered");
            if error.may_be_done() { Early::Unknown } else { Early::NotDone }
        }
    };
    let came = if let Early::Came(_) = early { "behind" } else { "later" };
    metrics::counter!("engine_sent_behind", "came" => came).increment(1);
    early
}

/// Sends a batch until it is answered, or nobody waits for it any more.
pub(super) async fn send(
    store: EventStore,
    batch: Arc<Batch>,
    encoded: Arc<[Encoded]>,
    mut tries: u32,
    last_deadline: Instant,
    is_late: Arc<AtomicBool>,
) -> Sent {
    let (began, mut pause) = (Instant::now(), Duration::from_millis(5));
    loop {
        tries += 1;
        match within(store.append_encoded(&batch, &encoded)).await {
            Err(error) if error.is_outage() && Instant::now() + pause < last_deadline => {
                is_late.store(true, Ordering::Relaxed);
                // It may have been appended or not. The same keys again cannot do it twice.
                tracing::warn!(%error, "the log does not answer; the same batch is sent again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            appended => return Sent { appended, tries, began },
        }
    }
}

/// What a batch leaves for one behind it, as far as that can be said beforehand.
pub(super) fn leaves(batch: &Batch, encoded: &[Encoded]) -> Option<Front> {
    let is_recorded = batch.commands.iter().all(|command| command.record);
    (batch.known.position.0 != 0 && is_recorded).then(|| Front::of(batch, encoded)).flatten()
}
