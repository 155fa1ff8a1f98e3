//! The engine's loop.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use event_store::{EventStore, Head, Position};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::batch::{Decided, Verdict, decide};
use super::memory::{Desk, Memory};
use super::snapshots::Snapshots;
use super::{Error, Job, Options, Receipt};

/// After the database was away while streams were loaded.
const PAUSE: Duration = Duration::from_millis(50);
/// A try that takes longer is given up: the connection may lead nowhere.
const TRY_MAX: Duration = Duration::from_secs(10);
/// Reads and events in one batch, about. A thousand lines of a cart are thousands of them.
const BATCH_ROWS_MAX: usize = 20_000;

pub(super) struct Running {
    pub(super) store: EventStore,
    options: Options,
    pub(super) memory: Memory,
    snapshots: Snapshots,
    pub(super) node: Uuid,
    /// Where the log ends. `None`: look.
    pub(super) known: Option<Head>,
    /// Where it ended when it was last known.
    last_known: Option<Head>,
    /// Where the log ended when it was last seen that another node had appended. States that were verified before then may
    /// have changed, though nobody has looked yet.
    pub(super) foreign: Position,
    /// Commands in the next batch, at most: fewer after a batch that the log does not take, so that the one command that spoils it
    /// is soon alone.
    pub(super) batch_max: usize,
    /// Commands to be decided again, first in the next batch.
    pub(super) again: VecDeque<Job>,
}

/// A decided command on its way to the log.
pub(super) struct Underway {
    pub(super) job: Job,
    pub(super) verdict: Verdict,
}

pub(super) async fn run(
    store: EventStore,
    options: Options,
    mut queue: mpsc::Receiver<Job>,
    shutdown: CancellationToken,
) {
    let snapshots = Snapshots::start(store.clone());
    let memory = Memory::new(options.states_max);
    let mut running = Running {
        store,
        options,
        memory,
        snapshots,
        node: Uuid::now_v7(),
        known: None,
        last_known: None,
        foreign: Position(0),
        batch_max: options.batch_max,
        again: VecDeque::new(),
    };
    loop {
        if running.again.is_empty() {
            let next = tokio::select! {
                biased;
                job = queue.recv() => job,
                () = shutdown.cancelled() => {
                    // No new ones; those that wait are done.
                    queue.close();
                    queue.recv().await
                }
            };
            match next {
                Some(job) => running.again.push_back(job),
                None => return,
            }
        }
        let jobs = running.gather(&mut queue);
        running.process(jobs).await;
    }
}

impl Running {
    /// Everything that waits, up to the bounds of a batch. The same key twice does not fit one batch: the second one is to be
    /// answered from the log.
    fn gather(&mut self, queue: &mut mpsc::Receiver<Job>) -> Vec<Job> {
        while self.again.len() < self.options.batch_max {
            match queue.try_recv() {
                Ok(job) => self.again.push_back(job),
                Err(_) => break,
            }
        }
        let (mut jobs, mut keys, mut bytes) = (Vec::new(), HashSet::new(), 0);
        let mut later = VecDeque::new();
        while let Some(job) = self.again.pop_front() {
            let full = jobs.len() >= self.batch_max || bytes >= self.options.batch_bytes_max;
            if full || !keys.insert(job.submission.key) {
                later.push_back(job);
                continue;
            }
            bytes += estimated_bytes(&job);
            jobs.push(job);
        }
        self.again = later;
        metrics::histogram!("engine_batch_commands").record(jobs.len() as f64);
        jobs
    }

    async fn process(&mut self, jobs: Vec<Job>) {
        let now = Instant::now();
        let (mut jobs, late): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.deadline > now);
        late.into_iter().for_each(|job| reply(job, Err(Error::Unavailable)));
        let Some(known) = self.known().await else { return Self::give_up(jobs) };
        let mut desk = Desk::default();
        if let Err(error) = self.fill(&mut desk, &mut jobs, known.position).await {
            tracing::warn!(%error, "streams cannot be loaded");
            self.keep(desk);
            self.known = None;
            self.put_back(jobs);
            return tokio::time::sleep(PAUSE).await;
        }
        let (mut proposed, mut underway, mut later) = (Vec::new(), Vec::new(), Vec::new());
        let mut rows = 0;
        let mut jobs = jobs.into_iter();
        while rows < BATCH_ROWS_MAX
            && let Some(job) = jobs.next()
        {
            match decide(&mut desk, &job) {
                Decided::Proposed(each, verdict) => {
                    rows += each.reads.len() + each.events.len();
                    proposed.push(each);
                    underway.push(Underway { job, verdict });
                }
                Decided::NotYet => later.push(job),
                Decided::Broken => {
                    tracing::error!("a command cannot be decided; this is a defect");
                    reply(job, Err(Error::Defect));
                    break;
                }
            }
        }
        later.extend(jobs);
        self.put_back(later);
        if proposed.is_empty() {
            return self.keep(desk);
        }
        self.append(known, desk, proposed, underway).await;
    }

    /// Where the log ends. What happened since it was last known is not known: another node may have appended, or the log may
    /// be another one.
    async fn known(&mut self) -> Option<Head> {
        if self.known.is_some() {
            return self.known;
        }
        let head = match within(self.store.head()).await {
            Ok(head) => head,
            Err(error) => {
                tracing::warn!(%error, "the head of the log cannot be read");
                return None;
            }
        };
        if self.last_known.is_some_and(|last| last.epoch != head.epoch || last.position > head.position) {
            tracing::warn!("the log is another one than before; all states are forgotten");
            self.memory.forget_all();
        }
        self.foreign = head.position;
        self.ends(head);
        self.known
    }

    /// The log ends there now.
    pub(super) fn ends(&mut self, head: Head) {
        self.known = Some(head);
        self.last_known = Some(head);
    }

    pub(super) fn keep(&self, desk: Desk) {
        for (stream, entry) in desk.drain() {
            let every = self.options.snapshot_every;
            if entry.version / every > entry.before / every {
                self.snapshots.keep(&stream, entry.version, &entry.state);
            }
            self.memory.keep(stream, entry);
        }
    }

    /// Batches may be larger again, after one that went well.
    pub(super) fn grow(&mut self) {
        self.batch_max = (self.batch_max * 2).min(self.options.batch_max).max(1);
    }

    /// Back to the front of what waits, in order.
    pub(super) fn put_back(&mut self, jobs: impl IntoIterator<Item = Job, IntoIter: DoubleEndedIterator>) {
        for job in jobs.into_iter().rev() {
            self.again.push_front(job);
        }
    }

    fn give_up(jobs: Vec<Job>) {
        tracing::error!("the log does not answer");
        jobs.into_iter().for_each(|job| reply(job, Err(Error::Unavailable)));
    }
}

/// Gives up a try that takes too long.
pub(super) async fn within<T>(
    asked: impl Future<Output = Result<T, event_store::Error>>,
) -> Result<T, event_store::Error> {
    match tokio::time::timeout(TRY_MAX, asked).await {
        Ok(answer) => answer,
        Err(_) => {
            let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time");
            Err(event_store::Error::Unavailable(sqlx::Error::Io(late)))
        }
    }
}

/// About what a command takes in a batch: it need not be exact, only bounded.
fn estimated_bytes(job: &Job) -> usize {
    1_024 + job.submission.answer.to_string().len()
}

pub(super) fn reply(job: Job, answer: Result<Receipt, Error>) {
    // Whoever asked may have gone away; what was done is done.
    let _ = job.reply.send(answer);
}
