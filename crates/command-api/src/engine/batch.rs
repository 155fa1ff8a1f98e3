//! Deciding a batch: pure once its states are on the desk.

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::{Decision, StreamId};
use event_store::Proposed;

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
    Proposed(Proposed, Verdict),
    /// A stream that it needs came up while the batch was decided: load it, and decide with the next batch.
    NotYet,
    /// A defect.
    Broken,
}

/// Decides one command on the desk, and puts its events there for those that follow.
pub(super) fn decide(desk: &mut Desk, job: &Job) -> Decided {
    let submission = &job.submission;
    let decided = catch_unwind(AssertUnwindSafe(|| {
        let streams = submission.command.streams(desk);
        if streams.iter().any(|stream| !desk.has(stream)) {
            return None;
        }
        let reads: Vec<_> = streams.iter().map(|stream| (stream.clone(), desk.version(stream))).collect();
        let current = reads.first().map_or(0, |(_, version)| *version);
        if submission.if_match.is_some_and(|wanted| wanted != current) {
            return Some((reads, Err(Error::Stale { current })));
        }
        let decision = submission.command.decide(desk).map_err(Error::Refused);
        Some((reads, decision))
    }));
    match decided {
        Err(_) => Decided::Broken,
        Ok(None) => Decided::NotYet,
        Ok(Some((reads, Err(error)))) => {
            Decided::Proposed(proposed(job, reads, Vec::new(), false), Verdict::Refused(error))
        }
        Ok(Some((reads, Ok(decision)))) => accept(desk, job, reads, decision),
    }
}

fn accept(desk: &mut Desk, job: &Job, reads: Vec<(StreamId, u32)>, decision: Decision) -> Decided {
    let mut events = Vec::with_capacity(decision.events.len());
    for (stream, event) in decision.events {
        // Every stream that is written to was named, and so is on the desk.
        let Some(entry) = desk.entry(&stream) else { return Decided::Broken };
        entry.evolve(&event);
        events.push((stream, entry.version, event));
    }
    Decided::Proposed(proposed(job, reads, events, true), Verdict::Accepted)
}

fn proposed(
    job: &Job,
    reads: Vec<(StreamId, u32)>,
    events: Vec<(StreamId, u32, domain::Event)>,
    record: bool,
) -> Proposed {
    let Submission { key, fingerprint, metadata, answer, .. } = &job.submission;
    Proposed {
        key: *key,
        fingerprint: *fingerprint,
        metadata: metadata.clone(),
        answer: answer.to_string(),
        at: job.at,
        record,
        events,
        reads,
    }
}
