//! The engine's append-or-catch-up: nodes with states of their own, and a log that takes a batch, or says which of it has moved.
//!
//! `log.rs` follows `migrations/log/0003` to `0005`, `node.rs` follows `crates/command-api/src/engine`, function by function. Three
//! plans are in it, too: to assume that a stream is new which a command creates, and to decide a batch while the one before it is
//! under way, and to send it behind that one before it is answered.

mod log;
mod node;
mod tests;

use stateright::{Model, Property};

use self::log::{Answer, Batch, Key, Log};
use self::node::{Behind, Command, Job, Node};

/// A rule that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// Whoever built on a command that is left out is not left out (`r_after`).
    ChainsAreNotFollowed,
    /// The refusal of a command that was done is given all the same.
    SeenIsNotLookedFor,
    /// A node that came too late does not go next.
    NoTurns,
    /// Nobody remembers that another node has appended since a state was verified (`foreign`).
    ForeignIsForgotten,
    /// Another epoch is not noticed.
    EpochsAreAlike,
    /// Assuming: a refusal is answered on a stream that nobody has looked at.
    RefusesOnAssumption,
    /// Pipelining: the next batch stays, though something of the one before was not appended.
    NextIsKept,
    /// Pipelining: the next batch is sent as if nobody else could have appended meanwhile.
    NextIsNotVerified,
    /// Sending behind: where the log ends is looked at, but not whose event is the last.
    AnyEventIsFollowed,
    /// Sending behind: the last event is looked at, but not the first.
    AnyPartIsFollowed,
}

#[derive(Debug, Clone, Copy)]
struct Rules {
    /// A stream that a command creates is not loaded.
    assume_new: bool,
    /// A batch is decided while the one before it is under way.
    pipeline: bool,
    /// … and sent before that one is answered.
    behind: bool,
    broken: Broken,
}

#[derive(Debug, Clone)]
struct Engines {
    rules: Rules,
    /// What is asked of each node.
    asked: Vec<Vec<Command>>,
    /// Calls whose answer is lost; each may still be carried out, at any time.
    losses_max: u8,
    restores_max: u8,
    /// The slow path lets another node go first, too, as the fast path does. Today it does not (proposed).
    slow_yields: bool,
    /// The time of a turn may be over before its node has come.
    turns_end: bool,
    /// No command is sent back more often.
    moved_max: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    log: Log,
    nodes: Vec<Node>,
    /// Calls that nobody waits for, and whether their fast path was rolled back.
    ghosts: Vec<(Batch, bool)>,
    /// Batches on their way behind others, with their nodes. Each may be carried out at any time, also before the other one.
    behind: Vec<(usize, Behind)>,
    losses_left: u8,
    restores_left: u8,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Look(usize),
    Gather(usize, usize),
    Load(usize),
    Decide(usize),
    Call(usize),
    /// The next batch is sent before the one under way is answered.
    SendBehind(usize),
    Behind(usize),
    /// The connection is gone; the call may be carried out later. It is sent again.
    Lose(usize),
    /// Nobody waits any more; whoever asked asks the other node.
    GiveUp(usize),
    Ghost(usize),
    TurnIsOver,
    /// The last command is lost in a failover, and the log gets another epoch.
    Restore,
}

/// Commands in one batch.
const BATCH_MAX: usize = 2;

impl Model for Engines {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let nodes = self.asked.iter().enumerate().map(|(id, asked)| Node::new(id, asked)).collect();
        let (losses_left, restores_left) = (self.losses_max, self.restores_max);
        vec![State {
            log: Log::new(),
            nodes,
            ghosts: Vec::new(),
            behind: Vec::new(),
            losses_left,
            restores_left,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for (id, node) in state.nodes.iter().enumerate() {
            let idle = node.underway.is_none();
            if node.desk.is_some() {
                actions.extend([Step::Load(id), Step::Decide(id)]);
            } else if !node.queue.is_empty() && node.known.is_none() {
                actions.extend(idle.then_some(Step::Look(id)));
            } else if idle || self.rules.pipeline {
                actions.extend((1..=BATCH_MAX.min(node.queue.len())).map(|count| Step::Gather(id, count)));
            }
            if let Some(underway) = &node.underway {
                actions.push(Step::Call(id));
                actions.extend((self.rules.behind && node.next.is_some()).then_some(Step::SendBehind(id)));
                actions.extend((state.losses_left > 0).then_some(Step::Lose(id)));
                actions.extend(underway.tried.then_some(Step::GiveUp(id)));
            }
        }
        actions.extend((0..state.ghosts.len()).map(Step::Ghost));
        actions.extend((0..state.behind.len()).map(Step::Behind));
        actions.extend((self.turns_end && state.log.turn.is_some()).then_some(Step::TurnIsOver));
        actions.extend((state.restores_left > 0 && !state.log.commands.is_empty()).then_some(Step::Restore));
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        self.apply(&mut next, step)?;
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("positions have no gaps", |_, state: &State| {
                let positions = state.log.events.iter().map(|event| event.position);
                positions.eq(1..=state.log.head.position)
            }),
            Property::always("versions have no gaps", |_, state: &State| {
                (0..STREAMS).all(|stream| {
                    let events = state.log.events.iter().filter(|event| event.stream == stream);
                    events.zip(1..).all(|(event, version)| event.version == version)
                })
            }),
            Property::always("nothing is decided on what is not so", |_, state: &State| {
                state.log.wrong.is_none()
            }),
            Property::always("what is done is done once", |model: &Self, state: &State| {
                state.log.commands.iter().all(|key| {
                    let rows = state.log.commands.iter().filter(|other| *other == key).count();
                    let events = state.log.events.iter().filter(|event| event.key == *key).count();
                    rows == 1 && events == model.writes(*key)
                })
            }),
            Property::always("what was told is so", |_, state: &State| {
                let told = state.nodes.iter().flat_map(|node| &node.told);
                told.filter(|told| told.epoch == state.log.head.epoch)
                    .all(|told| state.log.commands.contains(&told.key) == told.accepted)
            }),
            Property::always("nobody is sent back for ever", |model: &Self, state: &State| {
                waiting(state).all(|job| job.moved <= model.moved_max)
            }),
            Property::sometimes("a command is sent back", |_, state: &State| {
                waiting(state).any(|job| job.moved > 0)
            }),
        ]
    }
}

const STREAMS: u8 = 3;

/// All jobs of all nodes.
fn waiting(state: &State) -> impl Iterator<Item = &Job> {
    state.nodes.iter().flat_map(|node| {
        let under_way = [&node.underway, &node.next].into_iter().flatten();
        node.queue.iter().chain(under_way.flat_map(|underway| &underway.jobs))
    })
}

impl Engines {
    fn apply(&self, next: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Look(id) => next.nodes[id].look(&next.log),
            Step::Gather(id, count) => next.nodes[id].gather(count)?,
            Step::Load(id) => next.nodes[id].load(&next.log, self.rules)?,
            Step::Decide(id) => next.nodes[id].decide(self.rules)?,
            Step::Call(id) => {
                let underway = next.nodes[id].underway.as_mut()?;
                let answer = match underway.answer.take() {
                    Some(answer) => answer,
                    None => {
                        let (batch, one_by_one) = (underway.batch.clone(), underway.one_by_one);
                        self.call(&mut next.log, &batch, one_by_one)
                    }
                };
                next.nodes[id].hear(answer, self.rules);
            }
            Step::SendBehind(id) => {
                let behind = next.nodes[id].send_behind()?;
                next.behind.push((id, behind));
                next.behind.sort();
            }
            Step::Behind(index) => {
                let (id, Behind { batch, front }) = next.behind.remove(index);
                if let Some(answer) = next.log.behind(&batch, front, self.rules.broken) {
                    next.nodes[id].answered(&batch, answer);
                }
            }
            Step::Lose(id) => {
                next.losses_left -= 1;
                let underway = next.nodes[id].underway.as_mut()?;
                next.ghosts.push((underway.batch.clone(), underway.one_by_one));
                (underway.one_by_one, underway.tried, underway.answer) = (false, true, None);
                next.ghosts.sort();
            }
            Step::GiveUp(id) => {
                let jobs = next.nodes[id].underway.as_ref()?.jobs.clone();
                next.nodes[id].give_up();
                let other = (id + 1) % next.nodes.len();
                next.nodes[other].queue.extend(jobs);
            }
            Step::Ghost(index) => {
                let (batch, one_by_one) = next.ghosts.remove(index);
                if self.call(&mut next.log, &batch, one_by_one) == Answer::OneByOne {
                    next.ghosts.push((batch, true));
                    next.ghosts.sort();
                }
            }
            Step::TurnIsOver => next.log.turn = None,
            Step::Restore => {
                next.restores_left -= 1;
                next.log.restore();
            }
        }
        Some(())
    }

    fn call(&self, log: &mut Log, batch: &Batch, one_by_one: bool) -> Answer {
        let broken = self.rules.broken;
        if !one_by_one {
            return log.call(batch, broken, self.turns_end);
        }
        if self.slow_yields && log.turn.is_some_and(|node| node != batch.node) {
            return Answer::Yield;
        }
        log.append_each(batch, broken != Broken::NoTurns, broken != Broken::ChainsAreNotFollowed)
    }

    /// How many events a command has.
    fn writes(&self, key: Key) -> usize {
        let commands = self.asked.iter().flatten();
        commands
            .filter(|command| command.key == key)
            .map(|command| node::streams(command).count())
            .next()
            .unwrap_or(0)
    }

    /// Everybody has an answer.
    fn ended(state: &State) -> bool {
        state.nodes.iter().all(|node| node.queue.is_empty() && node.underway.is_none() && node.next.is_none())
    }
}
