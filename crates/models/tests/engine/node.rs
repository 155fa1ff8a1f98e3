//! A node: `crates/command-api/src/engine`, one round trip at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::log::{Answer, Batch, Content, Front, Head, Key, Log, Outcome, Proposed, Stream};
use super::{Broken, Rules};

/// A command. It creates a stream, or writes to one, or both, unless the one is there or the other full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Command {
    pub(super) key: Key,
    pub(super) creates: Option<Stream>,
    /// A stream, and how many events it takes: with more, the command is refused.
    pub(super) writes: Option<(Stream, usize)>,
}

/// `memory::Entry`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) content: Content,
    /// It was so when the log ended there.
    pub(super) verified: u8,
    /// Nobody has looked: the command that creates the stream says that there is nothing.
    pub(super) assumed: bool,
}

pub(super) type Desk = BTreeMap<Stream, Entry>;

/// A command that waits, how often it was sent back, and whether nothing may be assumed for it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) moved: u8,
    pub(super) look: bool,
}

/// A decided batch, with the states that it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Underway {
    pub(super) batch: Batch,
    pub(super) jobs: Vec<Job>,
    pub(super) desk: Desk,
    /// The fast path was rolled back.
    pub(super) one_by_one: bool,
    pub(super) tried: bool,
    /// It was sent behind the one before it.
    pub(super) is_sent: bool,
    /// What came of that, not yet heard.
    pub(super) answer: Option<Answer>,
}

/// A batch on its way behind another one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Behind {
    pub(super) batch: Batch,
    pub(super) front: Front,
}

/// What somebody who asked was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Told {
    pub(super) key: Key,
    pub(super) epoch: u8,
    /// It is in the log; or it was refused.
    pub(super) accepted: bool,
}

/// `run::Running`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) id: usize,
    /// `again`, and what comes after it.
    pub(super) queue: Vec<Job>,
    pub(super) memory: Desk,
    pub(super) known: Option<Head>,
    pub(super) last_known: Option<Head>,
    pub(super) foreign: u8,
    /// The batch that is being put together, while streams are loaded for it: of the first so many commands of the queue.
    pub(super) desk: Option<Desk>,
    pub(super) count: usize,
    pub(super) underway: Option<Underway>,
    /// The batch after that, decided while it is under way.
    pub(super) next: Option<Underway>,
    pub(super) told: Vec<Told>,
}

impl Node {
    pub(super) fn new(id: usize, commands: &[Command]) -> Self {
        let queue = commands.iter().map(|command| Job { command: *command, moved: 0, look: false }).collect();
        let (memory, told) = (Desk::new(), Vec::new());
        let (known, last_known, foreign, count) = (None, None, 0, 0);
        let (desk, underway, next) = (None, None, None);
        Self { id, queue, memory, known, last_known, foreign, desk, count, underway, next, told }
    }

    /// `Running::known`: looks where the log ends.
    pub(super) fn look(&mut self, log: &Log) {
        let head = log.head;
        if self.last_known.is_some_and(|last| last.epoch != head.epoch || last.position > head.position) {
            self.memory.clear();
        }
        self.foreign = head.position;
        self.ends(head);
    }

    fn ends(&mut self, head: Head) {
        (self.known, self.last_known) = (Some(head), Some(head));
    }

    /// `Running::fill`: the states that are in memory, for the first commands of the queue; with a batch under way, those that it
    /// leaves come first.
    pub(super) fn gather(&mut self, count: usize) -> Option<()> {
        if self.desk.is_some() || self.known.is_none() || self.queue.len() < count || self.next.is_some() {
            return None;
        }
        // The same key twice does not fit one batch.
        let keys = self.queue[..count].iter().map(|job| job.command.key);
        if keys.collect::<BTreeSet<_>>().len() < count {
            return None;
        }
        let mut desk = self.underway.as_ref().map(|underway| underway.desk.clone()).unwrap_or_default();
        for stream in self.queue[..count].iter().flat_map(|job| streams(&job.command)) {
            if !desk.contains_key(&stream)
                && let Some(entry) = self.memory.remove(&stream)
            {
                desk.insert(stream, entry);
            }
        }
        (self.desk, self.count) = (Some(desk), count);
        Some(())
    }

    /// The first stream that has to be loaded, and whether it is assumed to be new instead.
    fn missing(&self, rules: Rules) -> Option<(Stream, bool)> {
        let desk = self.desk.as_ref()?;
        let jobs = self.queue.get(..self.count)?;
        jobs.iter().flat_map(|job| streams(&job.command).map(move |stream| (stream, job))).find_map(
            |(stream, job)| {
                let new = rules.assume_new && !job.look && job.command.creates == Some(stream);
                (!desk.contains_key(&stream)).then_some((stream, new))
            },
        )
    }

    /// `Running::load`, `Desk::load`.
    pub(super) fn load(&mut self, log: &Log, rules: Rules) -> Option<()> {
        let (stream, assumed) = self.missing(rules)?;
        let verified = self.known?.position;
        let content = if assumed { Content::new() } else { log.content(stream) };
        self.desk.as_mut()?.insert(stream, Entry { content, verified, assumed });
        Some(())
    }

    /// `batch::decide`, for all; then `Running::append` makes the batch.
    pub(super) fn decide(&mut self, rules: Rules) -> Option<()> {
        if self.missing(rules).is_some() {
            return None;
        }
        let mut desk = self.desk.take()?;
        let mut jobs: Vec<Job> = self.queue.drain(..self.count).collect();
        let mut commands = Vec::new();
        let mut later = Vec::new();
        for (index, job) in jobs.iter().enumerate() {
            let Some(proposed) = propose(&mut desk, &job.command, rules) else {
                // What was assumed turned out to matter: it is loaded, and this and what follows is decided with the next batch.
                later = jobs.split_off(index);
                break;
            };
            commands.push(proposed);
        }
        later.iter_mut().take(1).for_each(|job| job.look = true);
        self.queue.splice(0..0, later);
        let known = self.known?;
        if commands.is_empty() {
            self.keep(desk);
            return Some(());
        }
        let stale = self.stale(&desk) && rules.broken != Broken::ForeignIsForgotten;
        let position = if stale { 0 } else { known.position };
        let batch = Batch { known: Head { position, ..known }, node: self.id, commands };
        let underway =
            Underway { batch, jobs, desk, one_by_one: false, tried: false, is_sent: false, answer: None };
        if self.underway.is_some() {
            self.next = Some(underway)
        } else {
            self.underway = Some(underway)
        }
        Some(())
    }

    /// `Running::depart`, behind the batch that is under way.
    pub(super) fn send_behind(&mut self) -> Option<Behind> {
        let front = self.underway.as_ref()?.batch.leaves()?;
        let next = self.next.as_ref()?;
        let refuses = next.batch.commands.iter().any(|command| !command.record);
        if next.is_sent || refuses || self.stale(&next.desk) {
            return None;
        }
        let next = self.next.as_mut()?;
        next.is_sent = true;
        next.batch.known = front.leaves;
        Some(Behind { batch: next.batch.clone(), front })
    }

    /// A batch that was sent behind another one has been answered.
    pub(super) fn answered(&mut self, batch: &Batch, answer: Answer) {
        let mut waiting = [&mut self.underway, &mut self.next].into_iter().flatten();
        if let Some(sent) = waiting.find(|sent| sent.is_sent && sent.batch.commands == batch.commands) {
            sent.answer = Some(answer);
        }
    }

    /// Whether a state on the desk was verified by nobody since another node appended.
    fn stale(&self, desk: &Desk) -> bool {
        desk.values().map(|entry| entry.verified).min().unwrap_or_default() < self.foreign
    }

    /// `Running::keep`.
    fn keep(&mut self, desk: Desk) {
        self.memory.extend(desk.into_iter().filter(|(_, entry)| !entry.assumed));
    }

    /// `Running::not_appended`: nobody waits for it any more.
    pub(super) fn give_up(&mut self) {
        (self.known, self.underway) = (None, None);
        self.drop_next();
        (self.count, self.desk) = (0, None);
    }

    /// What was decided on states that may never have been is decided again.
    fn drop_next(&mut self) {
        (self.desk, self.count) = (None, 0);
        if let Some(next) = self.next.take() {
            self.queue.splice(0..0, next.jobs);
        }
    }

    /// `Running::append` after the answer, and `Running::answer`.
    pub(super) fn hear(&mut self, answer: Answer, rules: Rules) {
        let Some(mut underway) = self.underway.take() else { return };
        let (head, outcomes) = match answer {
            Answer::Outcomes(head, outcomes) => (head, outcomes),
            Answer::Epoch => {
                self.memory.clear();
                self.known = None;
                self.drop_next();
                self.queue.splice(0..0, underway.jobs);
                return;
            }
            Answer::Yield | Answer::OneByOne => {
                underway.one_by_one = answer == Answer::OneByOne;
                self.underway = Some(underway);
                return;
            }
        };
        let own = |(command, outcome): (&Proposed, &Outcome)| {
            if *outcome == Outcome::Appended { command.events.len() } else { 0 }
        };
        let own: usize = underway.batch.commands.iter().zip(&outcomes).map(own).sum();
        let before = self.known.map_or(0, |known| known.position);
        if own != usize::from(head.position.saturating_sub(before)) {
            self.foreign = head.position;
        }
        self.ends(head);
        let again = self.answer(&mut underway, &outcomes, head);
        for (stream, _) in underway.batch.commands.iter().flat_map(|command| &command.reads) {
            if let Some(entry) = underway.desk.get_mut(stream) {
                (entry.verified, entry.assumed) = (head.position, false);
            }
        }
        let all = outcomes.iter().all(|outcome| matches!(outcome, Outcome::Appended | Outcome::Unchanged));
        self.follow(&underway, all, head, rules);
        self.queue.splice(0..0, again);
        // What the next batch has on its desk is further.
        let newer = [self.desk.as_ref(), self.underway.as_ref().map(|next| &next.desk)];
        let newer: Vec<Stream> = newer.into_iter().flatten().flat_map(|desk| desk.keys().copied()).collect();
        underway.desk.retain(|stream, _| !newer.contains(stream));
        self.keep(underway.desk);
    }

    fn answer(&mut self, underway: &mut Underway, outcomes: &[Outcome], head: Head) -> Vec<Job> {
        let mut again = Vec::new();
        for ((job, command), outcome) in underway.jobs.iter().zip(&underway.batch.commands).zip(outcomes) {
            let accepted = command.record || *outcome == Outcome::Seen;
            if matches!(outcome, Outcome::Moved | Outcome::Seen) {
                command.reads.iter().for_each(|(stream, _)| drop(underway.desk.remove(stream)));
            }
            if *outcome == Outcome::Moved {
                again.push(Job { moved: job.moved + 1, look: true, ..*job });
            } else {
                self.told.push(Told { key: command.key, epoch: head.epoch, accepted });
            }
        }
        self.told.sort_unstable();
        self.told.dedup();
        again
    }

    /// The batch that was decided meanwhile: it goes now, or is decided again.
    fn follow(&mut self, underway: &Underway, all: bool, head: Head, rules: Rules) {
        if !all && rules.broken != Broken::NextIsKept {
            return self.drop_next();
        }
        let wrote = underway.batch.commands.iter().flat_map(|command| &command.reads);
        let verified: Vec<Stream> = wrote.map(|(stream, _)| *stream).collect();
        let desks = [self.desk.as_mut(), self.next.as_mut().map(|next| &mut next.desk)];
        for desk in desks.into_iter().flatten() {
            for (_, entry) in desk.iter_mut().filter(|(stream, _)| verified.contains(stream)) {
                (entry.verified, entry.assumed) = (head.position, false);
            }
        }
        if let Some(mut next) = self.next.take() {
            let position = if self.stale(&next.desk) && rules.broken != Broken::NextIsNotVerified {
                0
            } else {
                head.position
            };
            next.batch.known = Head { position, ..head };
            self.underway = Some(next);
        }
    }
}

pub(super) fn streams(command: &Command) -> impl Iterator<Item = Stream> + use<> {
    command.creates.into_iter().chain(command.writes.map(|(stream, _)| stream))
}

/// `batch::decide` of one command. `None`: it would have to answer for a stream that nobody has looked at.
fn propose(desk: &mut Desk, command: &Command, rules: Rules) -> Option<Proposed> {
    let seen = |stream| desk.get(&stream).map(|entry| entry.content.clone()).unwrap_or_default();
    let reads: Vec<_> = streams(command).map(|stream| (stream, seen(stream))).collect();
    let exists = command.creates.is_some_and(|stream| !seen(stream).is_empty());
    let full = command.writes.is_some_and(|(stream, room)| seen(stream).len() >= room);
    if exists || full {
        let assumed =
            |stream| desk.get(&stream).is_some_and(|entry| entry.assumed && entry.content.is_empty());
        if streams(command).any(assumed) && rules.broken != Broken::RefusesOnAssumption {
            desk.retain(|_, entry| !entry.assumed || !entry.content.is_empty());
            return None;
        }
        return Some(Proposed { key: command.key, record: false, reads, events: Vec::new() });
    }
    let mut events = Vec::new();
    for stream in streams(command) {
        let entry = desk.get_mut(&stream)?;
        entry.content.push(command.key);
        events.push((stream, entry.content.len() as u8));
    }
    Some(Proposed { key: command.key, record: true, reads, events })
}
