//! The engine's loop.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use domain::StreamId;
use event_store::{Appended, Batch, EventStore, Head, Outcome, Position, Proposed};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::batch::{Decided, Verdict, decide};
use super::memory::{Desk, Memory, wanted};
use super::snapshots::Snapshots;
use super::{Error, Job, Options, Receipt};

/// Streams are named by states, which are loaded by name: an order's stock items are known from its cart. No chain is longer.
const LOAD_ROUNDS_MAX: usize = 6;
/// Between two tries when the database is away, at most.
const PAUSE_MAX: Duration = Duration::from_millis(500);

struct Running {
    store: EventStore,
    options: Options,
    memory: Memory,
    snapshots: Snapshots,
    node: Uuid,
    known: Option<Head>,
    /// Where the log ended when it was last seen that another node had appended. States that were verified before then may
    /// have changed, though nobody has looked yet.
    foreign: Position,
    /// Commands to be decided again, first in the next batch.
    again: VecDeque<Job>,
}

/// A decided command on its way to the log.
struct Underway {
    job: Job,
    verdict: Verdict,
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
        foreign: Position(0),
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
            let full = jobs.len() >= self.options.batch_max || bytes >= self.options.batch_bytes_max;
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
        let (jobs, late): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.deadline > now);
        late.into_iter().for_each(|job| reply(job, Err(Error::Unavailable)));
        let Some(known) = self.known().await else { return Self::give_up(jobs) };
        let mut desk = Desk::default();
        if let Err(error) = self.fill(&mut desk, &jobs, known.position).await {
            tracing::error!(%error, "streams cannot be loaded");
            self.keep(desk);
            self.known = None;
            return self.postpone(jobs).await;
        }
        let (mut proposed, mut underway) = (Vec::new(), Vec::new());
        for job in jobs {
            match decide(&mut desk, &job) {
                Decided::Proposed(each, verdict) => {
                    proposed.push(each);
                    underway.push(Underway { job, verdict });
                }
                Decided::NotYet => self.again.push_back(job),
                Decided::Broken => {
                    // A half-applied decision may be on the desk: nothing of it may be kept.
                    tracing::error!("a command cannot be decided; this is a defect");
                    reply(job, Err(Error::Defect));
                    self.retry_all(underway);
                    return;
                }
            }
        }
        if proposed.is_empty() {
            return self.keep(desk);
        }
        self.append(known, desk, proposed, underway).await;
    }

    async fn known(&mut self) -> Option<Head> {
        if self.known.is_none() {
            self.known = self.store.head().await.ok();
        }
        self.known
    }

    /// Puts all states that the batch needs on the desk: from memory, or loaded, all with one query a round.
    async fn fill(&self, desk: &mut Desk, jobs: &[Job], known: Position) -> Result<(), event_store::Error> {
        for _ in 0..LOAD_ROUNDS_MAX {
            let mut missing: HashSet<StreamId> = HashSet::new();
            let mut found = false;
            for job in jobs {
                for stream in job.submission.command.streams(desk) {
                    if desk.has(&stream) || missing.contains(&stream) {
                        continue;
                    }
                    match self.memory.take(&stream) {
                        Some(entry) => {
                            desk.put(stream, entry);
                            found = true;
                        }
                        None => drop(missing.insert(stream)),
                    }
                }
            }
            if missing.is_empty() && !found {
                return Ok(());
            }
            if !missing.is_empty() {
                let wanted: Vec<_> = missing.into_iter().map(wanted).collect();
                self.store.load(&wanted).await?.into_iter().for_each(|loaded| desk.load(loaded, known));
            }
        }
        Ok(())
    }

    async fn append(
        &mut self,
        known: Head,
        mut desk: Desk,
        commands: Vec<Proposed>,
        underway: Vec<Underway>,
    ) {
        let last_deadline = underway.iter().map(|each| each.job.deadline).max().unwrap_or_else(Instant::now);
        // With a state on the desk that nobody has verified since another node appended, the log must look at each of them.
        let position = if desk.verified() < self.foreign { Position(0) } else { known.position };
        let batch = Batch { known: Head { position, ..known }, node: self.node, commands };
        let begun = Instant::now();
        let (mut pause, mut tries) = (Duration::from_millis(5), 0_u32);
        let appended = loop {
            match self.store.append(&batch).await {
                Ok(appended) => break appended,
                Err(event_store::Error::Unavailable(error)) if Instant::now() + pause < last_deadline => {
                    // It may have been appended or not. The same keys again cannot do it twice.
                    tracing::warn!(%error, "the log does not answer; the same batch is sent again");
                    tries += 1;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                Err(event_store::Error::EpochMoved) => {
                    tracing::warn!("the log has another epoch; all states are forgotten");
                    self.memory.forget_all();
                    self.known = None;
                    return self.retry_all(underway);
                }
                Err(error) => {
                    tracing::error!(%error, "a batch could not be appended");
                    self.known = None;
                    return underway.into_iter().for_each(|each| reply(each.job, Err(Error::Unavailable)));
                }
            }
        };
        metrics::histogram!("engine_append_seconds").record(begun.elapsed().as_secs_f64());
        let head = appended.head;
        if own_events(&appended) != head.position.0.saturating_sub(known.position.0) {
            self.foreign = head.position;
        }
        self.known = Some(head);
        self.answer(&batch, appended, &mut desk, underway, tries > 0);
        for (stream, _) in batch.commands.iter().flat_map(|command| &command.reads) {
            desk.verify(stream, head.position);
        }
        self.keep(desk);
    }

    /// Answers what the log has confirmed. What it has not confirmed was never so: its streams leave the desk.
    fn answer(
        &mut self,
        batch: &Batch,
        appended: Appended,
        desk: &mut Desk,
        underway: Vec<Underway>,
        tried_before: bool,
    ) {
        let epoch = appended.head.epoch;
        for ((each, command), outcome) in underway.into_iter().zip(&batch.commands).zip(appended.outcomes) {
            let Underway { job, verdict } = each;
            match (outcome, verdict) {
                (Outcome::Appended { last: position, .. }, _)
                | (Outcome::Unchanged { at: position }, Verdict::Accepted) => {
                    let version = own_version(command);
                    let head = Head { epoch, position };
                    let answer = job.submission.answer.clone();
                    reply(job, Ok(Receipt { head, answer, replayed: false, version }));
                }
                (Outcome::Unchanged { .. }, Verdict::Refused(error)) => reply(job, Err(error)),
                (Outcome::Seen(seen), _) => {
                    disown(desk, command);
                    if seen.fingerprint != job.submission.fingerprint {
                        reply(job, Err(Error::KeyReused));
                        continue;
                    }
                    let head = Head { epoch, position: seen.last.unwrap_or(appended.head.position) };
                    let answer = serde_json::from_str(&seen.answer).unwrap_or_default();
                    reply(job, Ok(Receipt { head, answer, replayed: !tried_before, version: None }));
                }
                (Outcome::Moved, _) => {
                    metrics::counter!("engine_moved").increment(1);
                    disown(desk, command);
                    self.again.push_back(job);
                }
            }
        }
    }

    fn keep(&self, desk: Desk) {
        for (stream, entry) in desk.drain() {
            let every = self.options.snapshot_every;
            if entry.version / every > entry.before / every {
                self.snapshots.keep(&stream, entry.version, &entry.state);
            }
            self.memory.keep(stream, entry);
        }
    }

    fn retry_all(&mut self, underway: Vec<Underway>) {
        for each in underway.into_iter().rev() {
            self.again.push_front(each.job);
        }
    }

    async fn postpone(&mut self, jobs: Vec<Job>) {
        self.again.extend(jobs);
        tokio::time::sleep(PAUSE_MAX / 10).await;
    }

    fn give_up(jobs: Vec<Job>) {
        tracing::error!("the log does not answer");
        jobs.into_iter().for_each(|job| reply(job, Err(Error::Unavailable)));
    }
}

/// Everything that a command looked at may be other than it is on the desk, and what it did there never happened.
fn disown(desk: &mut Desk, command: &Proposed) {
    command.reads.iter().for_each(|(stream, _)| desk.remove(stream));
}

/// How many events the batch has added to the log.
fn own_events(appended: &Appended) -> u64 {
    let count = |outcome: &Outcome| match outcome {
        Outcome::Appended { first, last } => last.0 - first.0 + 1,
        _ => 0,
    };
    appended.outcomes.iter().map(count).sum()
}

/// The version of a command's own stream after it.
fn own_version(command: &Proposed) -> Option<u32> {
    let (own, before) = command.reads.first()?;
    let after =
        command.events.iter().rev().find(|(stream, ..)| stream == own).map(|(_, version, _)| *version);
    Some(after.unwrap_or(*before))
}

/// About what a command takes in a batch: it need not be exact, only bounded.
fn estimated_bytes(job: &Job) -> usize {
    1_024 + job.submission.answer.to_string().len()
}

fn reply(job: Job, answer: Result<Receipt, Error>) {
    // Whoever asked may have gone away; what was done is done.
    let _ = job.reply.send(answer);
}
