//! Taking a decided batch to the log, and its answers back.

use std::time::Duration;

use event_store::{Appended, Batch, Head, Outcome, Position, Proposed};
use tokio::time::Instant;

use super::batch::Verdict;
use super::memory::Desk;
use super::run::{Running, Underway, reply, within};
use super::{Error, Receipt};

/// Between two tries when the database is away, at most.
const PAUSE_MAX: Duration = Duration::from_millis(500);

impl Running {
    pub(super) async fn append(
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
        let mut tries = 0;
        let appended = match self.send(&batch, last_deadline, &mut tries).await {
            Ok(appended) => appended,
            Err(error) => return self.not_appended(&error, underway, tries),
        };
        metrics::histogram!("engine_append_seconds").record(begun.elapsed().as_secs_f64());
        self.grow();
        let head = appended.head;
        if own_events(&appended) != head.position.0.saturating_sub(known.position.0) {
            self.foreign = head.position;
        }
        self.ends(head);
        self.answer(&batch, appended, &mut desk, underway, tries > 1);
        for (stream, _) in batch.commands.iter().flat_map(|command| &command.reads) {
            desk.verify(stream, head.position);
        }
        self.keep(desk);
    }

    /// Sends a batch until it is answered, or nobody waits for it any more.
    async fn send(
        &self,
        batch: &Batch,
        last_deadline: Instant,
        tries: &mut u32,
    ) -> Result<Appended, event_store::Error> {
        let mut pause = Duration::from_millis(5);
        loop {
            *tries += 1;
            match within(self.store.append(batch)).await {
                Err(error) if error.is_outage() && Instant::now() + pause < last_deadline => {
                    // It may have been appended or not. The same keys again cannot do it twice.
                    tracing::warn!(%error, "the log does not answer; the same batch is sent again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                other => return other,
            }
        }
    }

    fn not_appended(&mut self, error: &event_store::Error, underway: Vec<Underway>, tries: u32) {
        self.known = None;
        if matches!(error, event_store::Error::EpochMoved) {
            tracing::warn!("the log has another epoch; all states are forgotten");
            self.memory.forget_all();
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
