//! Putting the states on the desk that a batch needs.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::StreamId;
use event_store::{Loaded, Position};

use super::Job;
use super::batch::streams;
use super::memory::{Desk, Hashing};
use super::run::{Running, within};

/// Streams are named by states, which are loaded by name: an order's stock items are known from its cart. No chain is longer.
const LOAD_ROUNDS_MAX: usize = 6;

impl Running {
    /// Puts all states that the batch needs on the desk: from memory, or loaded, all with one query a round. Commands that cannot
    /// be decided, because a stream of theirs cannot be read, are answered and leave the batch; the others go on.
    pub(super) async fn fill(
        &mut self,
        desk: &mut Desk,
        jobs: &mut Vec<Job>,
        known: Position,
    ) -> Result<(), event_store::Error> {
        let mut unreadable: HashSet<StreamId, Hashing> = HashSet::default();
        for _ in 0..LOAD_ROUNDS_MAX {
            let mut missing: HashSet<StreamId, Hashing> = HashSet::default();
            let mut found = false;
            let mut decidable = Vec::with_capacity(jobs.len());
            for job in jobs.drain(..) {
                let named =
                    streams(desk, &job).filter(|named| !named.iter().any(|each| unreadable.contains(each)));
                let Some(named) = named else {
                    tracing::error!("the streams of a command cannot be named or read; this is a defect");
                    job.cannot_be_decided();
                    continue;
                };
                let begins = if job.presumes { job.submission.command.begins() } else { Vec::new() };
                decidable.push(job);
                for stream in named {
                    if desk.has(&stream) || missing.contains(&stream) {
                        continue;
                    }
                    match self.memory.take(&stream) {
                        Some(entry) => {
                            desk.put(stream, entry);
                            found = true;
                        }
                        // Saves a look at the log that finds nothing but once in a blue moon.
                        None if begins.contains(&stream) => desk.presume(stream, known),
                        None => drop(missing.insert(stream)),
                    }
                }
            }
            *jobs = decidable;
            if missing.is_empty() && !found {
                return Ok(());
            }
            unreadable.extend(self.load(desk, missing, known).await?);
        }
        Ok(())
    }

    /// Loads streams onto the desk, and returns those that cannot be read. They are found by halving: one bad stream among
    /// thousands costs a few queries more, not thousands.
    async fn load(
        &mut self,
        desk: &mut Desk,
        missing: HashSet<StreamId, Hashing>,
        known: Position,
    ) -> Result<Vec<StreamId>, event_store::Error> {
        let mut unreadable = Vec::new();
        let mut parts =
            vec![missing.into_iter().map(|stream| self.contested.wanted(stream)).collect::<Vec<_>>()];
        while let Some(mut part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match within(self.store.with_answer_max(self.load_max).load(&part)).await {
                Ok(loaded) => {
                    unreadable.extend(loaded.into_iter().filter_map(|each| self.put(desk, each, known)))
                }
                Err(error) if error.is_outage() => return Err(error),
                Err(error) if part.len() == 1 => {
                    tracing::error!(%error, "a stream cannot be read; its commands fail, all others go on");
                    unreadable.extend(part.into_iter().map(|each| each.stream));
                }
                Err(_) => {
                    let half = part.split_off(part.len() / 2);
                    parts.extend([part, half]);
                }
            }
        }
        Ok(unreadable)
    }

    /// Puts a loaded stream on the desk. One whose events make no state is returned.
    fn put(&mut self, desk: &mut Desk, loaded: Loaded, known: Position) -> Option<StreamId> {
        let stream = loaded.stream.clone();
        let confirmed = self.contested.confirmed(&stream);
        if catch_unwind(AssertUnwindSafe(|| desk.load(loaded, confirmed, known))).is_err() {
            tracing::error!("the events of a stream make no state; its commands fail, all others go on");
            return Some(stream);
        }
        if let Some((state, version)) = desk.state(&stream) {
            self.contested.loaded(&stream, state, version);
        }
        None
    }
}
