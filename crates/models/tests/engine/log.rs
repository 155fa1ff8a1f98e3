//! The log: `migrations/log/0001_tables.sql` and the functions that append to it, as one node's call sees them.

use super::Broken;

/// Streams, nodes and commands are numbers.
pub(super) type Stream = u8;
pub(super) type Key = u8;

/// `log.head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Head {
    pub(super) epoch: u8,
    pub(super) position: u8,
}

/// A row of `log.events`. What an event says is who wrote it: a state is the list of the commands that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) position: u8,
    pub(super) stream: Stream,
    pub(super) version: u8,
    pub(super) key: Key,
}

/// What is known of a stream at a version: the commands that wrote to it, in order.
pub(super) type Content = Vec<Key>;

/// `event_store::Proposed`: a decided command.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Proposed {
    pub(super) key: Key,
    /// `false`: a refusal.
    pub(super) record: bool,
    /// The streams that it looked at, and what it saw; the version is how many that are.
    pub(super) reads: Vec<(Stream, Content)>,
    /// The streams that it writes one event to, with its version.
    pub(super) events: Vec<(Stream, u8)>,
}

/// `event_store::Batch`, with the columns that `columns.rs` works out.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Batch {
    pub(super) known: Head,
    pub(super) node: usize,
    pub(super) commands: Vec<Proposed>,
}

impl Batch {
    /// `append::leaves`: what can be sent behind it must know. `None`: nothing can.
    pub(super) fn leaves(&self) -> Option<Front> {
        if self.known.position == 0 || self.commands.iter().any(|command| !command.record) {
            return None;
        }
        let event = |(offset, (key, (stream, version))): (u8, (Key, (Stream, u8)))| Event {
            position: self.known.position + 1 + offset,
            stream,
            version,
            key,
        };
        let all = self.commands.iter().flat_map(|command| {
            let key = command.key;
            command.events.iter().map(move |written| (key, *written))
        });
        let mut events = (0..).zip(all).map(event);
        let first = events.next()?;
        let last = events.last().unwrap_or(first);
        Some(Front { leaves: Head { position: last.position, ..self.known }, first, last })
    }
}

/// `event_store::Front`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Front {
    pub(super) leaves: Head,
    pub(super) first: Event,
    pub(super) last: Event,
}

/// `event_store::Outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Outcome {
    Appended,
    Unchanged,
    Seen,
    Moved,
}

/// What a call answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Answer {
    /// One outcome per command, and where the log ended then.
    Outcomes(Head, Vec<Outcome>),
    Epoch,
    Yield,
    /// The fast path was rolled back: its lock is free, and others may go before the slow path begins.
    OneByOne,
}

/// A rule that must never be broken, and was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// An event was appended by a command that had seen another state.
    OtherState,
    /// A refusal was given on a state that was not so.
    StaleRefusal,
}

/// The tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Log {
    pub(super) head: Head,
    pub(super) events: Vec<Event>,
    /// `log.commands`.
    pub(super) commands: Vec<Key>,
    /// `turn_node`; `turn_until` is over when somebody says so.
    pub(super) turn: Option<usize>,
    pub(super) wrong: Option<Wrong>,
}

impl Log {
    pub(super) fn new() -> Self {
        let head = Head { epoch: 0, position: 0 };
        Self { head, events: Vec::new(), commands: Vec::new(), turn: None, wrong: None }
    }

    pub(super) fn content(&self, stream: Stream) -> Content {
        self.events.iter().filter(|event| event.stream == stream).map(|event| event.key).collect()
    }

    /// The call as it begins: `log.verify_batch`, or the fast path of `log.append_batch`. A turn may last for more than one append, when
    /// there is something else that ends it.
    pub(super) fn call(&mut self, batch: &Batch, broken: Broken, turn_lasts: bool) -> Answer {
        if batch.commands.iter().all(|command| !command.record) {
            return self.verify_batch(batch, broken);
        }
        if self.head.epoch != batch.known.epoch && broken != Broken::EpochsAreAlike {
            return Answer::Epoch;
        }
        if self.turn.is_some_and(|node| node != batch.node) {
            return Answer::Yield;
        }
        let moved = || {
            let before = before(batch);
            before.iter().any(|(stream, version)| self.content(*stream).len() > usize::from(*version))
        };
        if self.head.position != batch.known.position && moved() {
            return Answer::OneByOne;
        }
        // Looked for where it is a refusal, else a violation of the key of `log.commands`.
        let seen = |command: &Proposed| self.commands.contains(&command.key);
        let looked = |command: &Proposed| command.record || broken != Broken::SeenIsNotLookedFor;
        if batch.commands.iter().any(|command| looked(command) && seen(command)) {
            return Answer::OneByOne;
        }
        let rolled_back = self.clone();
        for command in &batch.commands {
            if !command.record {
                self.refuse(command);
                continue;
            }
            self.look(command);
            if !self.insert(command) {
                // `UNIQUE (stream, version)`.
                *self = rolled_back;
                return Answer::OneByOne;
            }
        }
        // Nobody else's, or this call would not have come so far.
        self.turn = self.turn.filter(|_| turn_lasts);
        let outcome = |command: &Proposed| {
            if command.events.is_empty() { Outcome::Unchanged } else { Outcome::Appended }
        };
        Answer::Outcomes(self.head, batch.commands.iter().map(outcome).collect())
    }

    /// The statement that appends behind a batch that is not answered yet (`APPEND_BEHIND`): all of it right after all of that one, or
    /// nothing.
    pub(super) fn behind(&mut self, batch: &Batch, front: Front, broken: Broken) -> Option<Answer> {
        let is_there = |event: Event| self.events.contains(&event);
        let ends_so = match broken {
            Broken::AnyEventIsFollowed => true,
            Broken::AnyPartIsFollowed => is_there(front.last),
            _ => is_there(front.first) && is_there(front.last),
        };
        if self.head != batch.known || !ends_so || self.turn.is_some_and(|node| node != batch.node) {
            return None;
        }
        // The key of `log.commands`.
        if batch.commands.iter().any(|command| self.commands.contains(&command.key)) {
            return None;
        }
        let rolled_back = self.clone();
        for command in &batch.commands {
            self.look(command);
            if !self.insert(command) {
                *self = rolled_back;
                return None;
            }
        }
        Some(Answer::Outcomes(self.head, vec![Outcome::Appended; batch.commands.len()]))
    }

    /// `log.verify_batch`: refusals only, no lock.
    fn verify_batch(&mut self, batch: &Batch, broken: Broken) -> Answer {
        if self.head.epoch != batch.known.epoch {
            return Answer::Epoch;
        }
        let moved = self.head.position != batch.known.position;
        let outcomes = batch.commands.iter().map(|command| {
            if self.commands.contains(&command.key) && broken != Broken::SeenIsNotLookedFor {
                Outcome::Seen
            } else if moved && command.reads.iter().any(|read| !self.has_version(read)) {
                Outcome::Moved
            } else {
                Outcome::Unchanged
            }
        });
        let outcomes: Vec<_> = outcomes.collect();
        for (command, outcome) in batch.commands.iter().zip(&outcomes) {
            if *outcome == Outcome::Unchanged {
                self.refuse(command);
            }
        }
        Answer::Outcomes(self.head, outcomes)
    }

    /// `log.append_each`: every command for itself.
    pub(super) fn append_each(&mut self, batch: &Batch, turns: bool, chains: bool) -> Answer {
        if self.head.epoch != batch.known.epoch {
            return Answer::Epoch;
        }
        let mut outcomes: Vec<Outcome> = Vec::new();
        for (index, command) in batch.commands.iter().enumerate() {
            let outcome = if self.commands.contains(&command.key) {
                Outcome::Seen
            } else if (chains && built_on_nothing(&batch.commands[..index], &outcomes, command))
                || command.reads.iter().any(|read| !self.has_version(read))
            {
                Outcome::Moved
            } else if command.record {
                self.look(command);
                self.insert(command);
                Outcome::Appended
            } else {
                self.refuse(command);
                Outcome::Unchanged
            };
            outcomes.push(outcome);
        }
        let moved = outcomes.contains(&Outcome::Moved);
        self.turn = (moved && turns).then_some(batch.node);
        Answer::Outcomes(self.head, outcomes)
    }

    /// A failover that loses the last command, and the bump of the epoch after it.
    pub(super) fn restore(&mut self) {
        let lost = self.commands.pop();
        self.events.retain(|event| Some(event.key) != lost);
        self.head = Head { epoch: self.head.epoch + 1, position: self.events.len() as u8 };
    }

    fn has_version(&self, (stream, content): &(Stream, Content)) -> bool {
        self.content(*stream).len() == content.len()
    }

    /// Remembers an acceptance that was decided on another state than the one that it is appended to.
    fn look(&mut self, command: &Proposed) {
        if command.reads.iter().any(|(stream, content)| self.content(*stream) != *content) {
            self.wrong.get_or_insert(Wrong::OtherState);
        }
    }

    fn refuse(&mut self, command: &Proposed) {
        if command.reads.iter().any(|(stream, content)| self.content(*stream) != *content) {
            self.wrong.get_or_insert(Wrong::StaleRefusal);
        }
    }

    /// The rows of a command. `false`: a stream has such a version already.
    fn insert(&mut self, command: &Proposed) -> bool {
        self.commands.push(command.key);
        for (stream, version) in &command.events {
            if self.events.iter().any(|event| (event.stream, event.version) == (*stream, *version)) {
                return false;
            }
            self.head.position += 1;
            let position = self.head.position;
            self.events.push(Event { position, stream: *stream, version: *version, key: command.key });
        }
        true
    }
}

/// `before_streams` and `before_versions`: each stream's lowest version that was seen.
fn before(batch: &Batch) -> Vec<(Stream, u8)> {
    let mut before: Vec<(Stream, u8)> = Vec::new();
    for (stream, content) in batch.commands.iter().flat_map(|command| &command.reads) {
        let version = content.len() as u8;
        match before.iter_mut().find(|(known, _)| known == stream) {
            Some((_, lowest)) => *lowest = (*lowest).min(version),
            None => before.push((*stream, version)),
        }
    }
    before
}

/// `r_after`: a stream that it looked at was written to by an earlier command of the batch, and the last such was not appended.
fn built_on_nothing(earlier: &[Proposed], outcomes: &[Outcome], command: &Proposed) -> bool {
    command.reads.iter().any(|(stream, _)| {
        let writers = earlier.iter().zip(outcomes);
        let last =
            writers.rev().find(|(writer, _)| writer.events.iter().any(|(written, _)| written == stream));
        last.is_some_and(|(_, outcome)| *outcome != Outcome::Appended)
    })
}
