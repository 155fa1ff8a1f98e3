//! I1 and I3: what clients were told of their commands, against the log.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::super::evidence::{Command, Evidence};
use super::super::history::{Op, Outcome};
use super::Findings;

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    let mut logged = HashMap::<Uuid, Vec<&Command>>::new();
    for command in &evidence.commands {
        logged.entry(command.command_id).or_default().push(command);
    }
    for op in &evidence.history.ops {
        let there = logged.get(&op.key).map_or(&[][..], Vec::as_slice);
        presence(op, there, found);
        if let ([command], Outcome::Acknowledged { body, .. }) = (there, &op.outcome) {
            same_answer(op, command, body, found);
            token(evidence, op, command, found);
        }
    }
    real_time(&evidence.history.ops, &logged, found);
    for wrong in &evidence.history.wrong {
        found.add("I11", wrong.clone());
    }
}

fn presence(op: &Op, there: &[&Command], found: &mut Findings) {
    let times = there.len();
    let allowed = match &op.outcome {
        Outcome::Acknowledged { .. } => times == 1,
        // An earlier try may have come through after all, later than the refusal.
        Outcome::Refused { .. } if op.in_doubt > 0 => times <= 1,
        Outcome::Refused { .. } => times == 0,
        Outcome::Unknown { .. } => times <= 1,
    };
    if !allowed {
        found.add(
            "I1",
            format!(
                "{} of client {}, key {}: in the log {times} times, but told {:?}",
                op.name, op.client, op.key, op.outcome
            ),
        );
    }
}

/// What was answered is what the log keeps to be answered again.
fn same_answer(op: &Op, command: &Command, body: &Value, found: &mut Findings) {
    for (name, kept) in command.answer.as_object().into_iter().flatten() {
        if name.ends_with("_id") && body.get(name).is_some_and(|told| told != kept) {
            found
                .add("I1", format!("{} {}: told {name} {}, the log has {kept}", op.name, op.key, body[name]));
        }
    }
}

/// The token of an answer is no earlier than what was done, and of this log.
fn token(evidence: &Evidence, op: &Op, command: &Command, found: &mut Findings) {
    let Outcome::Acknowledged { place: Some(place), .. } = &op.outcome else {
        found.add("I7", format!("{} {} was answered without a token", op.name, op.key));
        return;
    };
    let reached = command.last_position.is_none_or(|last| place.position >= last);
    if !reached || place.position > evidence.head || place.epoch != evidence.epoch {
        found.add(
            "I7",
            format!("{} {}: told {place:?}, but it is at {:?}", op.name, op.key, command.last_position),
        );
    }
}

/// What was acknowledged before something else was asked for comes before it.
fn real_time(ops: &[Op], logged: &HashMap<Uuid, Vec<&Command>>, found: &mut Findings) {
    let placed = |op: &Op| match logged.get(&op.key).map(Vec::as_slice) {
        Some([command]) => Some((command.first_position?, command.last_position?)),
        _ => None,
    };
    // When: an end (0) or, later, a beginning (1).
    let mut moments = Vec::<(Duration, u8, &Op, i64)>::new();
    for op in ops {
        let Some((first, last)) = placed(op) else { continue };
        moments.push((op.begun, 1, op, first));
        if matches!(op.outcome, Outcome::Acknowledged { .. }) {
            moments.push((op.ended, 0, op, last));
        }
    }
    moments.sort_by_key(|(at, begins, ..)| (*at, *begins));
    let mut furthest: Option<(i64, &Op)> = None;
    for (_, begins, op, position) in moments {
        match furthest {
            Some((before, other)) if begins == 1 && position <= before => {
                found.add(
                    "I3",
                    format!(
                        "{} {} is at {position}, but {} was acknowledged at {before} before it was sent",
                        op.name, op.key, other.key
                    ),
                );
            }
            _ if begins == 0 && furthest.is_none_or(|(before, _)| before < position) => {
                furthest = Some((position, op));
            }
            _ => {}
        }
    }
}
