//! The engine's loop.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use domain::StreamId;
use event_store::{CommandKey, Encoded, EventStore, Head, Position, Proposed};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::batch::{Decided, Verdict, decide};
use super::contested::ContestedStreams;
use super::memory::{Desk, Entry, Hashing, Memory};
use super::snapshots::Snapshots;
use super::{Error, Job, Options, Receipt};

/// After the database was away while streams were loaded.
const PAUSE: Duration = Duration::from_millis(50);
/// A try that takes longer is given up: the connection may lead nowhere.
const TRY_MAX: Duration = Duration::from_secs(10);
/// A statement that takes longer goes over a connection that leads nowhere: it is closed, and those beside it. A little less than a try is
/// given, so that it is the statement that is given up.
const ANSWER_MAX: Duration = Duration::from_secs(9);
/// While a batch is on its way its callers do not wait longer for streams that the next one needs.
const LOAD_MEANWHILE_MAX: Duration = Duration::from_secs(2);
/// Reads and events in one batch, about. A thousand lines of a cart are thousands of them.
const BATCH_ROWS_MAX: usize = 20_000;

pub(super) struct Running {
    pub(super) store: EventStore,
    pub(super) options: Options,
    pub(super) memory: Memory,
    pub(super) contested: ContestedStreams,
    pub(super) snapshots: Snapshots,
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
    /// Whether commands may be decided while a batch is on its way. Not after one could not be decided: a stream that left the desk
    /// would be loaded as it was before that batch.
    pub(super) ahead: bool,
    /// How long to load streams.
    pub(super) load_max: Duration,
    /// Commands to be decided again, first in the next batch.
    pub(super) again: VecDeque<Job>,
}

/// A decided command on its way to the log.
pub(super) struct Underway {
    pub(super) job: Job,
    pub(super) verdict: Verdict,
}

/// A batch that grows while the one before it is on its way.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) proposed: Vec<Proposed>,
    /// What they are stored as, each at its place: ready to be sent when the batch before is answered.
    pub(super) encoded: Vec<Encoded>,
    pub(super) underway: Vec<Underway>,
    keys: HashSet<CommandKey, Hashing>,
    bytes: usize,
    rows: usize,
}

impl Draft {
    fn add(&mut self, proposed: Proposed, encoded: Encoded, verdict: Verdict, job: Job) {
        self.keys.insert(job.submission.key);
        self.bytes += estimated_bytes(&job);
        self.rows += proposed.reads.len() + proposed.events.len();
        self.proposed.push(proposed);
        self.encoded.push(encoded);
        self.underway.push(Underway { job, verdict });
    }
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
        store: store.with_answer_max(ANSWER_MAX),
        options,
        memory,
        contested: ContestedStreams::default(),
        snapshots,
        node: Uuid::now_v7(),
        known: None,
        last_known: None,
        foreign: Position(0),
        batch_max: options.batch_max,
        ahead: true,
        load_max: ANSWER_MAX,
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
        let (mut desk, mut draft) = (Desk::default(), Draft::default());
        running.ahead = true;
        running.load_max = ANSWER_MAX;
        running.take_waiting(&mut queue);
        running.decide_waiting(&mut desk, &mut draft).await;
        running.load_max = LOAD_MEANWHILE_MAX;
        running.append(&mut desk, draft, &mut queue).await;
        running.keep(desk.drain_but([]));
    }
}

impl Running {
    /// Takes what waits in the queue, as much as fits one batch.
    pub(super) fn take_waiting(&mut self, queue: &mut mpsc::Receiver<Job>) {
        while self.again.len() < self.options.batch_max
            && let Ok(job) = queue.try_recv()
        {
            self.again.push_back(job);
        }
    }

    /// How many more commands a draft takes; 0 when it is full.
    pub(super) fn room(&self, draft: &Draft) -> usize {
        if draft.bytes >= self.options.batch_bytes_max || draft.rows >= BATCH_ROWS_MAX {
            return 0;
        }
        self.batch_max.saturating_sub(draft.proposed.len())
    }

    /// What waits, up to the bounds of the batch. The same key twice does not fit one batch: the second one is to be answered from
    /// the log.
    fn gather(&mut self, draft: &Draft) -> Vec<Job> {
        let (mut jobs, mut bytes) = (Vec::new(), draft.bytes);
        let mut keys: HashSet<CommandKey, Hashing> = HashSet::default();
        let (room, mut later) = (self.room(draft), VecDeque::new());
        let now = Instant::now();
        while let Some(job) = self.again.pop_front() {
            let key = job.submission.key;
            if job.deadline <= now {
                reply(job, Err(Error::Unavailable));
            } else if jobs.len() >= room
                || bytes >= self.options.batch_bytes_max
                || draft.keys.contains(&key)
                || !keys.insert(key)
            {
                later.push_back(job);
            } else {
                bytes += estimated_bytes(&job);
                jobs.push(job);
            }
        }
        self.again = later;
        jobs
    }

    /// Decides what waits, and adds it to the draft. What does not fit, or needs a state that is not there yet, goes on waiting.
    pub(super) async fn decide_waiting(&mut self, desk: &mut Desk, draft: &mut Draft) {
        let mut jobs = self.gather(draft);
        if jobs.is_empty() {
            return;
        }
        let Some(known) = self.known().await else { return Self::give_up(jobs) };
        if let Err(error) = self.fill(desk, &mut jobs, known.position).await {
            tracing::warn!(%error, "streams cannot be loaded");
            self.known = None;
            self.put_back(jobs);
            return tokio::time::sleep(PAUSE).await;
        }
        let mut later = Vec::new();
        let mut jobs = jobs.into_iter();
        while draft.rows < BATCH_ROWS_MAX
            && let Some(mut job) = jobs.next()
        {
            match decide(desk, &job) {
                Decided::Proposed(proposed, encoded, verdict) => draft.add(proposed, encoded, verdict, job),
                Decided::NotYet => {
                    job.presumes = false;
                    later.push(job);
                }
                Decided::Broken => {
                    tracing::error!("a command cannot be decided; this is a defect");
                    job.cannot_be_decided();
                    self.ahead = false;
                    break;
                }
            }
        }
        later.extend(jobs);
        self.put_back(later);
    }

    /// Where the log ends. What happened since it was last known is not known: another node may have appended, or the log may
    /// be another one.
    pub(super) async fn known(&mut self) -> Option<Head> {
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
            self.forget_all();
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

    /// The log is another one: no state is so any more.
    pub(super) fn forget_all(&mut self) {
        self.memory.forget_all();
        self.contested.forget_all();
    }

    /// Puts states away.
    pub(super) fn keep(&mut self, states: Vec<(StreamId, Entry)>) {
        for (stream, entry) in states {
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

    pub(super) fn give_up(jobs: impl IntoIterator<Item = Job>) {
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
    1_024 + job.answer.len()
}

pub(super) fn reply(job: Job, answer: Result<Receipt, Error>) {
    // Whoever asked may have gone away; what was done is done.
    let _ = job.reply.send(answer);
}
