//! Taking a decided batch to the log, and its answers back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use event_store::{Appended, Batch, Encoded, Front, Head, Outcome, Position, Proposed};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::batch::Verdict;
use super::flight::{Flight, Second, Sending, Sent, Sky, beside, early, last_deadline, leaves, listen, send};
use super::memory::Desk;
use super::run::{Draft, Running, Underway, reply};
use super::{Error, Job, Receipt};

impl Running {
    /// Takes batches to the log until nothing is left that was decided. What comes in while one is on its way is decided on the states that
    /// it will leave, if all of it is appended. As soon as that is as much again, it is sent behind the first one, which the database then
    /// goes on with without a pause; else it is sent when the first one is answered, before its callers are. If not all of the first one
    /// is appended, that was in vain, and is decided again.
    pub(super) async fn append(&mut self, desk: &mut Desk, draft: Draft, queue: &mut mpsc::Receiver<Job>) {
        let mut sky = self.depart(desk, draft).await.map(Sky::of);
        while let Some(mut current) = sky {
            let sent = self.meanwhile(&mut current, desk, queue).await;
            sky = self.arrive(desk, current, sent).await;
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
        let position = if self.must_be_looked_at(desk) { Position(0) } else { known.position };
        let known_there = Head { position, ..known };
        let batch = Arc::new(Batch { known: known_there, node: self.node, commands: proposed });
        let leaves = leaves(&batch, &encoded);
        let (last, is_late) = (last_deadline(&underway), Arc::new(AtomicBool::new(false)));
        let (store, sent, late) = (self.store.clone(), Arc::clone(&batch), Arc::clone(&is_late));
        let mut sending: Sending = Box::pin(send(store, sent, encoded.into(), 0, last, late));
        // Out of the house before anything else is done.
        let answered = match futures::poll!(&mut sending) {
            Poll::Ready(sent) => Some(sent),
            Poll::Pending => None,
        };
        let grown = desk.grown(self.options.snapshot_every);
        Some(Flight { batch, known, underway, grown, sending, answered, is_late, leaves })
    }

    /// Whether a batch can be sent behind one that leaves the log so, and is worth it: smaller than need be it would only have its price.
    fn goes_behind(&self, desk: &Desk, first: &Flight, draft: &Draft) -> bool {
        draft.proposed.len() >= first.underway.len()
            && !first.is_late.load(Ordering::Relaxed)
            && draft.proposed.iter().all(|command| command.record)
            && !self.must_be_looked_at(desk)
            && self.store.is_undisturbed()
    }

    /// Sends a batch behind one that is not answered yet.
    fn follow(&mut self, desk: &mut Desk, draft: Draft, front: Front) -> Second {
        let Draft { proposed, encoded, underway, .. } = draft;
        metrics::histogram!("engine_batch_commands").record(underway.len() as f64);
        let known = front.leaves;
        let batch = Arc::new(Batch { known, node: self.node, commands: proposed });
        let leaves = leaves(&batch, &encoded);
        let encoded: Arc<[Encoded]> = encoded.into();
        let (store, sent, with) = (self.store.clone(), Arc::clone(&batch), Arc::clone(&encoded));
        let early = Box::pin(async move { early(&store, &sent, &with, front).await });
        let grown = desk.grown(self.options.snapshot_every);
        let (last_deadline, began) = (last_deadline(&underway), Instant::now());
        let heard = None;
        Second { batch, encoded, known, underway, grown, leaves, last_deadline, began, early, heard }
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
                self.again.extend(sky.into_later_jobs().await);
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
            self.again.extend(sky.into_later_jobs().await);
            desk.verify(&batch, head.position);
            self.keep(desk.drain_but([]));
            return None;
        }
        desk.verify(&batch, head.position);
        let done = desk.drain_but(sky.later());
        let Sky { second, next, .. } = sky;
        let sky = match second {
            Some(second) => Some(Sky { next, ..Sky::of(second.land(self.store.clone())) }),
            None => self.depart(desk, next).await.map(Sky::of),
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
            if let Some(sent) = beside(sky.first.sending.as_mut(), &mut sky.second, work).await {
                return sent;
            }
            if let Some(front) = sky.first.leaves
                && sky.second.is_none()
                && self.goes_behind(desk, &sky.first, &sky.next)
            {
                // Nothing goes behind what is answered already.
                if let Poll::Ready(sent) = futures::poll!(&mut sky.first.sending) {
                    return sent;
                }
                let next = std::mem::take(&mut sky.next);
                sky.second = Some(self.follow(desk, next, front));
                continue;
            }
            let room = self.room(&sky.next).saturating_sub(self.again.len());
            tokio::select! {
                biased;
                sent = &mut sky.first.sending => return sent,
                () = listen(&mut sky.second) => {}
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
        let tried = tries > 1 || underway.iter().any(|each| each.job.is_sent);
        let answer = if tried { Error::Unavailable } else { Error::Defect };
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
                    let replayed = !tried_before && !job.is_sent;
                    reply(job, Ok(Receipt { head, answer, replayed, version: None }));
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
