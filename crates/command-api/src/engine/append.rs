//! Taking a decided batch to the log, and its answers back.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use event_store::{Appended, Batch, Encoded, EventStore, Head, Outcome, Position, Proposed};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::batch::Verdict;
use super::memory::{Desk, Grown};
use super::run::{Draft, Running, Underway, reply, within};
use super::{Error, Job, Receipt};

/// Between two tries when the database is away, at most.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// What came of sending a batch.
struct Sent {
    batch: Batch,
    appended: Result<Appended, event_store::Error>,
    tries: u32,
    began: Instant,
}

/// A batch on its way.
struct Flight {
    /// Where the log ended when it was sent, as far as was known.
    known: Head,
    underway: Vec<Underway>,
    /// States to be kept as snapshots once the batch is confirmed.
    grown: Vec<Grown>,
    sending: Pin<Box<dyn Future<Output = Sent> + Send>>,
    /// It was answered at once.
    answered: Option<Sent>,
}

impl Running {
    /// Takes batches to the log, one at a time, until nothing is left that was decided. What comes in while one is on its way is decided
    /// on the states that it will leave, if all of it is appended; then that is on its way before the first one's callers are answered,
    /// and the database has no pause. If not all of it is, that was in vain, and is decided again.
    pub(super) async fn append(&mut self, desk: &mut Desk, draft: Draft, queue: &mut mpsc::Receiver<Job>) {
        let mut flight = self.depart(desk, draft).await;
        while let Some(current) = flight {
            flight = self.arrive(desk, current, queue).await;
        }
    }

    /// Sends a batch. `None`: there is none, or the log does not answer.
    async fn depart(&mut self, desk: &mut Desk, draft: Draft) -> Option<Flight> {
        let Draft { proposed, encoded, underway, .. } = draft;
        if proposed.is_empty() {
            return None;
        }
        metrics::histogram!("engine_batch_commands").record(underway.len() as f64);
        let Some(known) = self.known().await else {
            desk.clear();
            Self::give_up(underway.into_iter().map(|each| each.job));
            return None;
        };
        let last_deadline = underway.iter().map(|each| each.job.deadline).max().unwrap_or_else(Instant::now);
        // With a state on the desk that nobody has verified since another node appended, the log must look at each of them; and when
        // something could not be decided, one may have left the desk.
        let position =
            if !self.ahead || desk.verified() < self.foreign { Position(0) } else { known.position };
        let batch = Batch { known: Head { position, ..known }, node: self.node, commands: proposed };
        let mut sending: Pin<Box<dyn Future<Output = Sent> + Send>> =
            Box::pin(send(self.store.clone(), batch, encoded, last_deadline));
        // Out of the house before anything else is done.
        let answered = match futures::poll!(&mut sending) {
            Poll::Ready(sent) => Some(sent),
            Poll::Pending => None,
        };
        let grown = desk.grown(self.options.snapshot_every);
        Some(Flight { known, underway, grown, sending, answered })
    }

    /// Waits for the answer to a batch, sends the next one, and answers the callers. Returns the next one.
    async fn arrive(
        &mut self,
        desk: &mut Desk,
        flight: Flight,
        queue: &mut mpsc::Receiver<Job>,
    ) -> Option<Flight> {
        let Flight { known, underway, grown, sending, answered } = flight;
        let (sent, next) = match answered {
            Some(sent) => (sent, Draft::default()),
            None => self.meanwhile(sending, desk, queue).await,
        };
        let Sent { batch, appended, tries, began } = sent;
        let appended = match appended {
            Ok(appended) => appended,
            Err(error) => {
                desk.clear();
                self.not_appended(&error, underway, tries);
                self.again.extend(next.underway.into_iter().map(|each| each.job));
                return None;
            }
        };
        metrics::histogram!("engine_append_seconds").record(began.elapsed().as_secs_f64());
        self.grow();
        let head = appended.head;
        if own_events(&appended) != head.position.0.saturating_sub(known.position.0) {
            self.foreign = head.position;
        }
        self.ends(head);
        self.contested.learn(&batch, &appended);
        let whole = appended.outcomes.iter().all(is_as_decided);
        if !whole {
            self.answer(&batch, appended, desk, underway, tries > 1);
            // What is still on the desk is confirmed.
            self.snapshots.keep(head.epoch, grown.into_iter().filter(|(stream, ..)| desk.has(stream)));
            self.in_vain(desk, next);
            desk.verify(&batch, head.position);
            self.keep(desk.drain_but(&[]));
            return None;
        }
        desk.verify(&batch, head.position);
        let done = desk.drain_but(&next.proposed);
        let flight = self.depart(desk, next).await;
        self.answer(&batch, appended, desk, underway, tries > 1);
        self.snapshots.keep(head.epoch, grown);
        self.keep(done);
        flight
    }

    /// Decides what comes in while a batch is on its way.
    async fn meanwhile(
        &mut self,
        mut sent: Pin<Box<dyn Future<Output = Sent> + Send>>,
        desk: &mut Desk,
        queue: &mut mpsc::Receiver<Job>,
    ) -> (Sent, Draft) {
        let (mut next, mut came) = (Draft::default(), Vec::new());
        loop {
            if !self.ahead {
                return (sent.await, next);
            }
            if let Some(answer) = beside(sent.as_mut(), self.decide_waiting(desk, &mut next)).await {
                return (answer, next);
            }
            let room = self.room(&next).saturating_sub(self.again.len());
            tokio::select! {
                biased;
                answer = &mut sent => return (answer, next),
                count = queue.recv_many(&mut came, room), if room > 0 => {
                    if count == 0 {
                        return (sent.await, next);
                    }
                    self.again.extend(came.drain(..));
                }
            }
        }
    }

    /// Something that the next batch may rest on has not happened: it is decided again.
    fn in_vain(&mut self, desk: &mut Desk, next: Draft) {
        next.proposed.iter().for_each(|command| disown(desk, command));
        self.again.extend(next.underway.into_iter().map(|each| each.job));
    }

    fn not_appended(&mut self, error: &event_store::Error, underway: Vec<Underway>, tries: u32) {
        self.known = None;
        if matches!(error, event_store::Error::EpochMoved) {
            tracing::warn!("the log has another epoch; all states are forgotten");
            self.forget_all();
            return self.put_back(underway.into_iter().map(|each| each.job));
        }
        if error.is_outage() {
            tracing::error!(%error, "the log does not answer");
            return underway.into_iter().for_each(|each| reply(each.job, Err(Error::Unavailable)));
        }
        if underway.len() > 1 {
            // One of them spoils it for all. They are decided again in smaller batches rather than sent alone as they are: what
            // builds on the events of a command that is left out must not be appended.
            tracing::warn!(%error, commands = underway.len(), "the log does not take a batch; it is divided");
            self.batch_max = (underway.len() / 2).max(1);
            return self.put_back(underway.into_iter().map(|each| each.job));
        }
        tracing::error!(%error, "the log does not take a command; this is a defect");
        self.grow();
        // An earlier try that was never answered may have been appended.
        let answer = if tries > 1 { Error::Unavailable } else { Error::Defect };
        underway.into_iter().for_each(|each| reply(each.job, Err(answer.clone())));
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
            let Underway { mut job, verdict } = each;
            match (outcome, verdict) {
                (Outcome::Appended { last: position, .. }, _)
                | (Outcome::Unchanged { at: position }, Verdict::Accepted) => {
                    let version = own_version(command);
                    let head = Head { epoch, position };
                    let answer = std::mem::take(&mut job.submission.answer);
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
                    job.presumes = false;
                    self.again.push_back(job);
                }
            }
        }
    }
}

/// Whether what was decided has happened, so that others may rest on it.
fn is_as_decided(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Appended { .. } | Outcome::Unchanged { .. })
}

/// Does something while a batch is on its way, to its end: what it has taken out of the queue must not be lost. Returns the answer
/// when that has come meanwhile.
async fn beside(
    mut sent: Pin<&mut (dyn Future<Output = Sent> + Send)>,
    work: impl Future<Output = ()>,
) -> Option<Sent> {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        () = &mut work => None,
        answer = &mut sent => {
            work.await;
            Some(answer)
        }
    }
}

/// Sends a batch until it is answered, or nobody waits for it any more.
async fn send(store: EventStore, batch: Batch, encoded: Vec<Encoded>, last_deadline: Instant) -> Sent {
    let (began, mut tries, mut pause) = (Instant::now(), 0, Duration::from_millis(5));
    loop {
        tries += 1;
        match within(store.append_encoded(&batch, &encoded)).await {
            Err(error) if error.is_outage() && Instant::now() + pause < last_deadline => {
                // It may have been appended or not. The same keys again cannot do it twice.
                tracing::warn!(%error, "the log does not answer; the same batch is sent again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            appended => return Sent { batch, appended, tries, began },
        }
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
