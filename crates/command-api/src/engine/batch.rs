//! Deciding a batch: pure once its states are on the desk.

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::{Decision, Event, Kind, Refusal, StreamId};
use event_store::{Encoded, Proposed};

use super::memory::Desk;
use super::{Error, Job, Submission};

/// What was decided on a command, to be given as its answer once the log has confirmed it.
#[derive(Debug)]
pub(super) enum Verdict {
    Accepted,
    Refused(Error),
}

/// What is to become of a command of the batch.
pub(super) enum Decided {
    /// Append it (or verify its refusal).
    Proposed(Proposed, Encoded, Verdict),
    /// A stream that it needs came up while the batch was decided, or was only presumed to be empty: load it, and decide with the next
    /// batch.
    NotYet,
    /// A defect.
    Broken,
}

/// The streams that a command names, as far as they can be known. `None`: a defect.
pub(super) fn streams(desk: &Desk, job: &Job) -> Option<Vec<StreamId>> {
    catch_unwind(AssertUnwindSafe(|| job.submission.command.streams(desk))).ok()
}

/// Decides one command on the desk, and puts its events there for those that follow.
pub(super) fn decide(desk: &mut Desk, job: &Job) -> Decided {
    let Some(streams) = streams(desk, job) else { return Decided::Broken };
    if streams.iter().any(|stream| !desk.has(stream)) {
        return Decided::NotYet;
    }
    let reads: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            let version = desk.version(&stream);
            (stream, version)
        })
        .collect();
    let Ok(decision) = catch_unwind(AssertUnwindSafe(|| job.submission.command.decide(desk))) else {
        return Decided::Broken;
    };
    if leaves_presumed(desk, &reads, &decision) {
        return Decided::NotYet;
    }
    match if_matches(&job.submission, &reads, decision) {
        Ok(decision) => accept(desk, job, reads, decision),
        Err(error) => encoded(desk, proposed(job, reads, Vec::new(), false), Verdict::Refused(error)),
    }
}

/// Whether a decision rests on a stream that was presumed to be empty, and does not begin it, so that the log would not notice. Such
/// streams leave the desk, to be loaded.
fn leaves_presumed(desk: &mut Desk, reads: &[(StreamId, u32)], decision: &Result<Decision, Refusal>) -> bool {
    let begun = |stream: &StreamId| {
        decision.as_ref().is_ok_and(|decision| decision.events.iter().any(|(each, _)| each == stream))
    };
    let presumed: Vec<_> =
        reads.iter().map(|(stream, _)| stream).filter(|stream| desk.is_presumed(stream)).collect();
    if presumed.iter().all(|stream| begun(stream)) {
        return false;
    }
    presumed.into_iter().for_each(|stream| desk.remove(stream));
    true
}

/// `If-Match` is about what the caller may see: the versions of what is not theirs are not told.
fn if_matches(
    submission: &Submission,
    reads: &[(StreamId, u32)],
    decision: Result<Decision, Refusal>,
) -> Result<Decision, Error> {
    let current = reads.first().map_or(0, |(_, version)| *version);
    match decision {
        Err(refusal) if refusal.kind == Kind::NotFound => Err(Error::Refused(refusal)),
        _ if submission.if_match.is_some_and(|wanted| wanted != current) => Err(Error::Stale { current }),
        decision => decision.map_err(Error::Refused),
    }
}

fn accept(desk: &mut Desk, job: &Job, reads: Vec<(StreamId, u32)>, decision: Decision) -> Decided {
    let evolved = catch_unwind(AssertUnwindSafe(|| {
        let evolve = |(stream, event): &(StreamId, Event)| {
            // Every stream that is written to was named, and so is on the desk.
            let entry = desk.entry(stream)?;
            entry.evolve(event);
            Some(entry.version)
        };
        decision.events.iter().map(evolve).collect::<Option<Vec<u32>>>()
    }));
    let Ok(Some(versions)) = evolved else {
        // Some of it may be on the desk: nothing of it may be kept.
        decision.events.iter().for_each(|(stream, _)| desk.remove(stream));
        return Decided::Broken;
    };
    let events = decision.events.into_iter().zip(versions);
    let events = events.map(|((stream, event), version)| (stream, version, event)).collect();
    encoded(desk, proposed(job, reads, events, true), Verdict::Accepted)
}

/// Encoded right away: while the batch before is on its way there is time for it, and none once that one is answered.
fn encoded(desk: &mut Desk, proposed: Proposed, verdict: Verdict) -> Decided {
    match proposed.encode() {
        Ok(encoded) => Decided::Proposed(proposed, encoded, verdict),
        Err(error) => {
            tracing::error!(%error, "what a command has decided cannot be written");
            proposed.events.iter().for_each(|(stream, ..)| desk.remove(stream));
            Decided::Broken
        }
    }
}

fn proposed(
    job: &Job,
    reads: Vec<(StreamId, u32)>,
    events: Vec<(StreamId, u32, Event)>,
    record: bool,
) -> Proposed {
    let Submission { key, fingerprint, metadata, .. } = &*job.submission;
    Proposed {
        key: *key,
        fingerprint: *fingerprint,
        metadata: metadata.clone(),
        answer: job.answer.clone(),
        at: job.at,
        record,
        events,
        reads,
    }
}
