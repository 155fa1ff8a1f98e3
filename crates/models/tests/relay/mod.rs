//! The relay's hand-over: one relay takes the lead while another, frozen or dead, still has records on their way.
//!
//! The model follows `crates/event-bus/src/relay` round trip by round trip; who reads is the real `event_bus::Follower`.

mod consumer;
mod state;
mod steps;

use stateright::{Model, Property};

use self::consumer::{By, follow};
use self::state::{HEAD, Lease, PARTITIONS, RELAYS, Relay, State, events};
use crate::check::{breaks, can_be_stuck, holds, holds_and_ends};

/// A rule that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// Whoever takes the lead believes the last record of a partition, whatever is missing before it.
    TheLastRecordCounts,
    /// The checkpoint is the newest acknowledged position, whatever is under way before it.
    TheNewestCounts,
    /// A record says what came before it in the log, not in its partition.
    PrevIsOfTheLog,
    /// A relay that does not lead any more moves the checkpoint.
    AnyTermStores,
    /// A delivery error is not looked at.
    ErrorsAreIgnored,
    /// A consumer takes whatever is newer.
    NewerIsNext,
}

#[derive(Debug, Clone, Copy)]
struct Relays {
    /// Where the log ends.
    head: u8,
    terms_max: u8,
    crashes_max: u8,
    losses_max: u8,
    watermarks_max: u8,
    broken: Broken,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// The lease of whoever leads is over.
    Take(usize),
    Look(usize),
    Send(usize),
    Mark(usize),
    Arrive(usize, usize),
    Store(usize),
    /// It crashes, or an acknowledgement is an error, or it is told to stop.
    End(usize),
    ArriveLate(usize),
    LoseLate(usize),
    LoseUnnoticed(usize, usize),
}

impl Model for Relays {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            lease: Lease::default(),
            relays: vec![Relay::Waiting; RELAYS],
            kafka: Default::default(),
            late: Vec::new(),
            crashes_left: self.crashes_max,
            losses_left: self.losses_max,
            watermarks_left: self.watermarks_max,
            contradicted: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        for (relay, now) in state.relays.iter().enumerate() {
            match now {
                Relay::Waiting => {
                    actions.extend((state.lease.term < self.terms_max).then_some(Step::Take(relay)))
                }
                Relay::Looking { .. } => actions.extend([Step::Look(relay), Step::End(relay)]),
                Relay::Leading { .. } => {
                    let one = [Step::Send(relay), Step::Mark(relay), Step::Store(relay), Step::End(relay)];
                    actions.extend(one);
                    actions.extend((0..PARTITIONS).map(|partition| Step::Arrive(relay, partition)));
                    if self.broken == Broken::ErrorsAreIgnored {
                        actions
                            .extend((0..PARTITIONS).map(|partition| Step::LoseUnnoticed(relay, partition)));
                    }
                }
            }
        }
        for late in 0..state.late.len() {
            actions.extend([Step::ArriveLate(late), Step::LoseLate(late)]);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Take(relay) => steps::take(&mut next, relay),
            Step::Look(relay) => steps::look(&mut next, relay, self.broken),
            Step::Send(relay) => steps::send(&mut next, relay, self.head, self.broken)?,
            Step::Mark(relay) => steps::mark(&mut next, relay)?,
            Step::Arrive(relay, partition) => steps::arrive(&mut next, relay, partition)?,
            Step::Store(relay) => steps::store(&mut next, relay, self.broken)?,
            Step::LoseUnnoticed(relay, partition) => steps::lose_unnoticed(&mut next, relay, partition)?,
            Step::End(relay) => {
                let last = match &next.relays[relay] {
                    Relay::Looking { lease, .. } => lease.term == self.terms_max,
                    Relay::Leading { term, .. } => *term == self.terms_max,
                    Relay::Waiting => false,
                };
                next.crashes_left = next.crashes_left.checked_sub(1).filter(|_| !last)?;
                next.end(relay);
            }
            Step::ArriveLate(late) => {
                let (partition, queue) = &mut next.late[late];
                let record = queue.pop_front()?;
                next.kafka[*partition].push(record);
            }
            Step::LoseLate(late) => {
                next.losses_left = next.losses_left.checked_sub(1)?;
                next.late[late].1.pop_front();
            }
        }
        next.late.retain(|(_, queue)| !queue.is_empty());
        // Which relay is which matters to nobody.
        next.relays.sort();
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("what is kept is the log", |model: &Self, state: &State| {
                model.readers().all(|(partition, by)| {
                    let taken = follow(partition, &state.kafka[partition], by).events;
                    events(partition, HEAD).starts_with(&taken)
                })
            }),
            Property::always("a hole is named exactly", |model: &Self, state: &State| {
                model
                    .readers()
                    .all(|(partition, by)| !follow(partition, &state.kafka[partition], by).misnamed)
            }),
            Property::always("all up to the checkpoint is kept", |model: &Self, state: &State| {
                model.readers().all(|(partition, by)| {
                    let taken = follow(partition, &state.kafka[partition], by).events;
                    taken.starts_with(&events(partition, state.lease.position))
                })
            }),
            Property::always("what is acknowledged to a leader is kept", |model: &Self, state: &State| {
                state.relays.iter().all(|relay| !published(relay, model.head)) || model.complete(state)
            }),
            Property::always("what was acknowledged is there", |_, state: &State| !state.contradicted),
            Property::sometimes("something is doubled", |_, state: &State| {
                follow(0, &state.kafka[0], By::Waiting).repeated
            }),
            Property::sometimes("there is a hole", |model: &Self, state: &State| {
                model.losses_max == 0 || follow(0, &state.kafka[0], By::Waiting).hole
            }),
        ]
    }
}

/// It has sent everything, and all of it was acknowledged.
fn published(relay: &Relay, head: u8) -> bool {
    match relay {
        Relay::Leading { partitions, sent, .. } => {
            *sent == head && partitions.iter().all(|partition| partition.in_flight.is_empty())
        }
        _ => false,
    }
}

impl Relays {
    const fn with(broken: Broken) -> Self {
        Self { head: HEAD, terms_max: 2, crashes_max: 1, losses_max: 1, watermarks_max: 1, broken }
    }

    fn readers(&self) -> impl Iterator<Item = (usize, By)> + use<> {
        let waiting = if self.broken == Broken::NewerIsNext { By::NewerIsNext } else { By::Waiting };
        (0..PARTITIONS).flat_map(move |partition| [(partition, waiting), (partition, By::Asking)])
    }

    fn complete(&self, state: &State) -> bool {
        self.readers().all(|(partition, by)| {
            follow(partition, &state.kafka[partition], by).events == events(partition, self.head)
        })
    }
}

#[test]
fn whoever_leads_a_partition_reads_as_the_log() {
    holds("relay, one hand-over", Relays::with(Broken::Nothing));
    let more = Relays { head: 3, terms_max: 3, watermarks_max: 0, ..Relays::with(Broken::Nothing) };
    holds("relay, two hand-overs", more);
}

/// The last one that leads does not crash: whatever came before, in the end everything is published.
#[test]
fn whoever_leads_last_finishes() {
    let model = Relays { head: 3, ..Relays::with(Broken::Nothing) };
    holds_and_ends("relay, three events", model, move |state| {
        model.complete(state) && state.lease.position == model.head
    });
    let stuck = Relays { watermarks_max: 0, broken: Broken::TheNewestCounts, ..model };
    can_be_stuck(&stuck, |state| stuck.complete(state));
}

#[test]
fn every_rule_of_the_hand_over_is_needed() {
    let broken = |broken, property| breaks("relay", Relays::with(broken), property);
    broken(Broken::TheLastRecordCounts, "what is acknowledged to a leader is kept");
    broken(Broken::TheNewestCounts, "all up to the checkpoint is kept");
    broken(Broken::PrevIsOfTheLog, "a hole is named exactly");
    broken(Broken::ErrorsAreIgnored, "all up to the checkpoint is kept");
    broken(Broken::NewerIsNext, "what is kept is the log");
}

/// The lease only decides who works: nothing that a reader sees rests on it.
#[test]
fn two_that_both_move_the_checkpoint_do_no_harm() {
    let model = Relays { watermarks_max: 0, ..Relays::with(Broken::AnyTermStores) };
    holds("relay, whoever led moves the checkpoint", model);
}
