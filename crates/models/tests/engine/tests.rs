use super::{Broken, Command, Engines, Rules};
use crate::check::{breaks, holds, holds_and_ends, most};

const HOT: u8 = 0;
const NEW: u8 = 1;

/// Writes to the hot stream, which takes so many.
const fn write(key: u8, room: usize) -> Command {
    Command { key, creates: None, writes: Some((HOT, room)) }
}

/// Creates a stream, and writes to the hot one.
const fn create(key: u8, room: usize) -> Command {
    Command { key, creates: Some(NEW), writes: Some((HOT, room)) }
}

fn engines(broken: Broken, asked: [&[Command]; 2]) -> Engines {
    let rules = Rules { assume_new: false, pipeline: false, behind: false, broken };
    let asked = asked.into_iter().map(<[Command]>::to_vec).collect();
    Engines {
        rules,
        asked,
        losses_max: 0,
        restores_max: 0,
        slow_yields: false,
        turns_end: true,
        moved_max: u8::MAX,
    }
}

fn ends(name: &str, model: Engines) {
    holds_and_ends(name, model, Engines::ended);
}

/// Two nodes, four buyers of three pieces.
fn hot(broken: Broken) -> Engines {
    engines(broken, [&[write(1, 3), write(2, 3)], &[write(3, 3), write(4, 3)]])
}

/// The same command at both nodes, and two that create the same stream, of which one must be refused.
fn new(broken: Broken) -> Engines {
    engines(broken, [&[create(1, 2), write(2, 2)], &[create(1, 2), create(3, 2)]])
}

/// A node that keeps a state in memory while it works on another stream and a second node goes on with the first.
fn kept(broken: Broken) -> Engines {
    let elsewhere = Command { key: 2, creates: Some(NEW), writes: None };
    engines(broken, [&[write(1, 1), elsewhere, write(3, 1)], &[write(4, 2)]])
}

fn assuming(model: Engines) -> Engines {
    Engines { rules: Rules { assume_new: true, ..model.rules }, ..model }
}

fn pipelining(model: Engines) -> Engines {
    Engines { rules: Rules { pipeline: true, ..model.rules }, ..model }
}

/// The next batch is sent before the one before it is answered.
fn sending_behind(model: Engines) -> Engines {
    Engines { rules: Rules { pipeline: true, behind: true, ..model.rules }, ..model }
}

/// A node with three commands, and one that comes between them.
fn between(broken: Broken) -> Engines {
    engines(broken, [&[write(1, 4), write(2, 4), write(3, 4)], &[write(4, 3)]])
}

/// A batch of which one command was done before by another node, which goes on with another stream.
fn in_part(broken: Broken) -> Engines {
    let creates = |key, stream| Command { key, creates: Some(stream), writes: None };
    let (done, more) = (write(1, 9), creates(4, 2));
    engines(broken, [&[write(5, 9), done, creates(2, NEW), write(3, 9)], &[done, more]])
}

/// An answer is lost, and its call may be carried out whenever it likes.
fn losing(model: Engines) -> Engines {
    Engines { losses_max: 1, ..model }
}

fn restored(model: Engines) -> Engines {
    Engines { restores_max: 1, ..model }
}

#[test]
fn two_nodes_on_a_hot_stream() {
    ends("engine, hot, an answer is lost", losing(hot(Broken::Nothing)));
    ends("engine, hot, restored", restored(hot(Broken::Nothing)));
    ends("engine, kept, an answer is lost", losing(kept(Broken::Nothing)));
}

#[test]
fn two_nodes_that_create_the_same() {
    ends("engine, new, an answer is lost", losing(new(Broken::Nothing)));
    ends("engine, new, restored", restored(new(Broken::Nothing)));
}

#[test]
fn what_is_created_may_be_assumed_to_be_new() {
    ends("assuming, an answer is lost", assuming(losing(new(Broken::Nothing))));
    ends("assuming, restored", assuming(restored(new(Broken::Nothing))));
}

#[test]
fn the_next_batch_may_be_decided_while_one_is_under_way() {
    ends("pipelining, hot, an answer is lost", pipelining(losing(hot(Broken::Nothing))));
    ends("pipelining, kept, an answer is lost", pipelining(losing(kept(Broken::Nothing))));
    ends("pipelining, hot, restored", pipelining(restored(hot(Broken::Nothing))));
    ends("pipelining and assuming, an answer is lost", pipelining(assuming(losing(new(Broken::Nothing)))));
}

#[test]
fn the_next_batch_may_be_sent_before_the_one_before_it_is_answered() {
    ends("sending behind, between, an answer is lost", sending_behind(losing(between(Broken::Nothing))));
    ends("sending behind, between, restored", sending_behind(restored(between(Broken::Nothing))));
    ends("sending behind, in part", sending_behind(in_part(Broken::Nothing)));
    ends("sending behind, kept, an answer is lost", sending_behind(losing(kept(Broken::Nothing))));
    let assuming = sending_behind(assuming(losing(new(Broken::Nothing))));
    ends("sending behind and assuming, an answer is lost", assuming);
}

/// Whoever came too late goes next: of two nodes a command is sent back once and no more, however many there are at the other one.
#[test]
fn nobody_starves() {
    for others in [2, 4, 6] {
        holds(
            &format!("turns, {others} others"),
            contended(Broken::Nothing, write(1, usize::MAX), &[others], 1),
        );
    }
    let without = contended(Broken::NoTurns, write(1, usize::MAX), &[6], 5);
    breaks("engine without turns", without, "nobody is sent back for ever");
}

/// A limit that is known: a batch of refusals only takes no lock, and gets no turn either.
#[test]
fn refusals_alone_get_no_turn() {
    let refused = contended(Broken::Nothing, write(1, 0), &[6], 5);
    breaks("engine, a refusal", refused, "nobody is sent back for ever");
}

/// Known, too: between the fast path and the slow one the head is free, and the slow path asks for nobody's turn. With a third node
/// each command of the others can send the same one back again. With a slow path that yields it cannot.
#[test]
fn of_three_nodes_one_can_starve_unless_the_slow_path_yields() {
    let sent_back = |others: u8, slow_yields| {
        let model = contended(Broken::Nothing, write(1, usize::MAX), &[others, others], u8::MAX);
        let model = Engines { slow_yields, ..model };
        let worst = most(&model, |state| {
            super::waiting(state).filter(|job| job.command.key == 1).map(|job| job.moved).max().unwrap_or(0)
        });
        println!(
            "three nodes, twice {others} others, slow path yields: {slow_yields}: sent back {worst} times"
        );
        worst
    };
    assert_eq!([1, 2].map(|others| sent_back(others, false)), [2, 4]);
    assert_eq!([1, 2].map(|others| sent_back(others, true)), [1, 1]);
}

/// One command at one node, many at others, and turns are never over before their node has come.
fn contended(broken: Broken, command: Command, others: &[u8], moved_max: u8) -> Engines {
    let mut keys = 2..;
    let many = others
        .iter()
        .map(|count| keys.by_ref().take(usize::from(*count)).map(|key| write(key, usize::MAX)).collect());
    let asked = [vec![command]].into_iter().chain(many.collect::<Vec<_>>()).collect();
    Engines { asked, turns_end: false, moved_max, ..engines(broken, [&[], &[]]) }
}

#[test]
fn every_rule_of_the_engine_is_needed() {
    let not_so = "nothing is decided on what is not so";
    breaks("engine", losing(hot(Broken::ChainsAreNotFollowed)), not_so);
    breaks("engine", losing(new(Broken::SeenIsNotLookedFor)), "what was told is so");
    breaks("engine", kept(Broken::ForeignIsForgotten), not_so);
    breaks("engine", restored(hot(Broken::EpochsAreAlike)), not_so);
    breaks("assuming", assuming(new(Broken::RefusesOnAssumption)), not_so);
    breaks("pipelining", pipelining(hot(Broken::NextIsKept)), not_so);
    breaks("pipelining", pipelining(kept(Broken::NextIsNotVerified)), not_so);
    breaks("sending behind", sending_behind(between(Broken::AnyEventIsFollowed)), not_so);
    breaks("sending behind", sending_behind(in_part(Broken::AnyPartIsFollowed)), not_so);
}
