//! Taking a decided batch to the log, and its answers back.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use event_store::{Appended, Batch, Encoded, EventStore, Head, Outcome, Position, Proposed};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use super::batch::Verdict;
use super::memory::{Desk, Grown};
use super::run::{Draft, Running, Underway, reply, within};
use super::{Error, Job, Receipt};

/// Between two tries when the database is away, at most.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// What came of sending a batch.
struct Sent {
    appended: Result<Appended, event_store::Error>,
    tries: u32,
    began: Instant,
}

type Sending = Pin<Box<dyn Future<Output = Sent> + Send>>;

/// A batch on its way.
struct Flight {
    batch: Arc<Batch>,
    /// Where the log ended when it was sent, as far as was known; of one that was sent behind another, where that one ends.
    known: Head,
    underway: Vec<Underway>,
    /// States to be kept as snapshots once the batch is confirmed.
    grown: Vec<Grown>,
    sending: Sending,
    /// It was answered at once.
    answered: Option<Sent>,
    /// Where the log ends when all of it is appended and nobody else's, and its last event. `None`: nothing can be sent behind it.
    leaves: Option<(Head, Uuid)>,
    /// To be told that the batch before it has been appended. Of one that was sent behind another.
    landed: Option<oneshot::Sender<()>>,
}

/// The batches on their way, in order, and the one that grows meanwhile.
struct Sky {
    first: Flight,
    /// Sent behind the first one, and decided on the states that it will leave.
    second: Option<Flight>,
    /// Decided on the states that both will leave.
    next: Draft,
}

impl Sky {
    fn of(first: Flight) -> Self {
        Self { first, second: None, next: Draft::default() }
    }

    /// The commands that nothing has come of yet, of all but the first batch.
    fn later(&self) -> impl Iterator<Item = &Proposed> {
        let second = self.second.iter().flat_map(|flight| &flight.batch.commands);
        second.chain(&self.next.proposed)
    }

    fn into_later_jobs(self) -> impl Iterator<Item = Job> {
        let second = self.second.into_iter().flat_map(|flight| flight.underway);
        second.chain(self.next.underway).map(|each| each.job)
    }
}

impl Running {
    /// Takes batches to the log until nothing is left that was decided. What comes in while one is on its way is decided on the states that
    /// it will leave, if all of it is appended. As soon as that is as much again, it is sent behind the first one, which the database then
    /// goes on with without a pause; else it is sent when the first one is answered, before its callers are. If not all of the first one
    /// is appended, that was in vain, and is decided again.
    pub(super) async fn append(&mut self, desk: &mut Desk, draft: Draft, queue: &mut mpsc::Receiver<Job>) {
        let mut sky = self.depart(desk, draft, None).await.map(Sky::of);
        while let Some(mut current) = sky {
            let sent = self.meanwhile(&mut current, desk, queue).await;
            sky = self.arrive(desk, current, sent).await;
        }
    }

    /// Sends a batch, behind the one that leaves the log so. `None`: there is none, or the log does not answer.
    async fn depart(
        &mut self,
        desk: &mut Desk,
        draft: Draft,
        behind: Option<(Head, Uuid)>,
    ) -> Option<Flight> {
        let Draft { proposed, encoded, underway, .. } = draft;
        if proposed.is_empty() {
            return None;
        }
        metrics::histogram!("engine_batch_commands").record(underway.len() as f64);
        let known = match behind {
            Some((head, _)) => Some(head),
            None => self.known().await,
        };
        let Some(known) = known else {
            desk.clear();
            Self::give_up(underway.into_iter().map(|each| each.job));
            return None;
        };
        let last_deadline = underway.iter().map(|each| each.job.deadline).max().unwrap_or_else(Instant::now);
        let position = if self.must_be_looked_at(desk) { Position(0) } else { known.position };
        let batch = Batch { known: Head { position, ..known }, node: self.node, commands: proposed };
        let batch = Arc::new(batch);
        let leaves = leaves(&batch, &encoded);
        let (landed, lands) = oneshot::channel();
        let behind = behind.map(|(_, event)| Behind { event, lands });
        let landed = behind.is_some().then_some(landed);
        let mut sending: Sending =
            Box::pin(send(self.store.clone(), Arc::clone(&batch), encoded, behind, last_deadline));
        // Out of the house before anything else is done.
        let answered = match futures::poll!(&mut sending) {
            Poll::Ready(sent) => Some(sent),
            Poll::Pending => None,
        };
        let grown = desk.grown(self.options.snapshot_every);
        Some(Flight { batch, known, underway, grown, sending, answered, leaves, landed })
    }

    /// With a state on the desk that nobody has verified since another node appended, the log must look at each of them; and when
    /// something could not be decided, one may have left the desk.
    fn must_be_looked_at(&self, desk: &Desk) -> bool {
        !self.ahead || desk.verified() < self.foreign
    }

    /// Takes the answer to the first batch, sends the next one, and answers the callers. Returns what is on its way then.
    async fn arrive(&mut self, desk: &mut Desk, mut sky: Sky, sent: Sent) -> Option<Sky> {
        let Sent { appended, tries, began } = sent;
        let appended = match appended {
            Ok(appended) => appended,
            Err(error) => {
                desk.clear();
                let underway = std::mem::take(&mut sky.first.underway);
                self.not_appended(&error, underway, tries);
                self.again.extend(sky.into_later_jobs());
                return None;
            }
        };
        metrics::histogram!("engine_append_seconds").record(began.elapsed().as_secs_f64());
        self.grow();
        let head = appended.head;
        if own_events(&appended) != head.position.0.saturating_sub(sky.first.known.position.0) {
            self.foreign = head.position;
        }
        self.ends(head);
        let batch = Arc::clone(&sky.first.batch);
        self.contested.learn(&batch, &appended);
        let underway = std::mem::take(&mut sky.first.underway);
        let grown = std::mem::take(&mut sky.first.grown);
        let whole = appended.outcomes.iter().all(is_as_decided);
        if !whole {
            self.answer(&batch, appended, desk, underway, tries > 1);
            // What is still on the desk is confirmed.
            self.snapshots.keep(head.epoch, grown.into_iter().filter(|(stream, ..)| desk.has(stream)));
            // Something that the later ones may rest on has not happened.
            sky.later().for_each(|command| disown(desk, command));
            self.again.extend(sky.into_later_jobs());
            desk.verify(&batch, head.position);
            self.keep(desk.drain_but([]));
            return None;
        }
        desk.verify(&batch, head.position);
        let done = desk.drain_but(sky.later());
        let Sky { second, next, .. } = sky;
        let sky = match second {
            Some(mut first) => {
                if let Some(landed) = first.landed.take() {
                    // Whoever is not there any more need not be told.
                    let _ = landed.send(());
                }
                Some(Sky { next, ..Sky::of(first) })
            }
            None => self.depart(desk, next, None).await.map(Sky::of),
        };
        self.answer(&batch, appended, desk, underway, tries > 1);
        self.snapshots.keep(head.epoch, grown);
        self.keep(done);
        sky
    }

    /// Decides what comes in while batches are on their way, and sends it behind the first one as soon as it is worth it. Returns the
    /// answer to the first one.
    async fn meanwhile(&mut self, sky: &mut Sky, desk: &mut Desk, queue: &mut mpsc::Receiver<Job>) -> Sent {
        if let Some(sent) = sky.first.answered.take() {
            return sent;
        }
        let mut came = Vec::new();
        loop {
            if !self.ahead {
                return (&mut sky.first.sending).await;
            }
            let work = self.decide_waiting(desk, &mut sky.next);
            if let Some(sent) = beside(sky.first.sending.as_mut(), work).await {
                return sent;
            }
            // Earlier it would be smaller than it need be, and every batch has its price.
            if let Some(leaves) = sky.first.leaves
                && sky.second.is_none()
                && sky.next.proposed.len() >= sky.first.underway.len()
                && !self.must_be_looked_at(desk)
            {
                let next = std::mem::take(&mut sky.next);
                sky.second = self.depart(desk, next, Some(leaves)).await;
                continue;
            }
            let room = self.room(&sky.next).saturating_sub(self.again.len());
            tokio::select! {
                biased;
                sent = &mut sky.first.sending => return sent,
                count = queue.recv_many(&mut came, room), if room > 0 => {
                    if count == 0 {
                        return (&mut sky.first.sending).await;
                    }
                    self.again.extend(came.drain(..));
                }
            }
        }
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

/// The batch that another one is sent behind.
struct Behind {
    /// Its last event.
    event: Uuid,
    /// All of it was appended.
    lands: oneshot::Receiver<()>,
}

/// Sends a batch until it is answered, or nobody waits for it any more. One that is sent behind another comes right after it or not at all;
/// in the latter case it is sent again when the other one is known to have been appended.
async fn send(
    store: EventStore,
    batch: Arc<Batch>,
    encoded: Vec<Encoded>,
    behind: Option<Behind>,
    last_deadline: Instant,
) -> Sent {
    let (began, mut tries, mut pause) = (Instant::now(), 0, Duration::from_millis(5));
    if let Some(Behind { event, lands }) = behind {
        match within(store.append_behind(&batch, &encoded, event)).await {
            Ok(Some(appended)) => {
                metrics::counter!("engine_sent_behind", "came" => "behind").increment(1);
                return Sent { appended: Ok(appended), tries: 1, began };
            }
            Ok(None) => metrics::counter!("engine_sent_behind", "came" => "later").increment(1),
            // It may have been appended or not.
            Err(_) => tries = 1,
        }
        // Else nobody waits for this one.
        let _ = lands.await;
    }
    loop {
        tries += 1;
        match within(store.append_encoded(&batch, &encoded)).await {
            Err(error) if error.is_outage() && Instant::now() + pause < last_deadline => {
                // It may have been appended or not. The same keys again cannot do it twice.
                tracing::warn!(%error, "the log does not answer; the same batch is sent again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            appended => return Sent { appended, tries, began },
        }
    }
}

/// Where the log ends after a batch and with which event, as far as that can be said beforehand.
fn leaves(batch: &Batch, encoded: &[Encoded]) -> Option<(Head, Uuid)> {
    let known = batch.known;
    if known.position.0 == 0 || batch.commands.iter().any(|command| !command.record) {
        return None;
    }
    let last = encoded.iter().rev().find_map(Encoded::last_event)?;
    let events: usize = batch.commands.iter().map(|command| command.events.len()).sum();
    Some((Head { position: Position(known.position.0 + events as u64), ..known }, last))
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
