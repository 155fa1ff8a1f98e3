//! I2 and I4: the log by itself.

use std::collections::{HashMap, HashSet};

use super::super::evidence::Evidence;
use super::Findings;

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    numbering(evidence, found);
    wholeness(evidence, found);
}

fn numbering(evidence: &Evidence, found: &mut Findings) {
    let (mut versions, mut ids) = (HashMap::<&str, i32>::new(), HashSet::new());
    for (expected, event) in (1..).zip(&evidence.events) {
        if event.position != expected {
            found.add("I2", format!("position {expected} wanted, found {}", event.position));
            break;
        }
    }
    for event in &evidence.events {
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        if event.version != *version {
            let (stream, is) = (&event.stream, event.version);
            found.add("I2", format!("{stream} has version {is} at {} instead of {version}", event.position));
        }
        if !ids.insert(event.event_id) {
            found.add("I2", format!("event {} is there twice", event.event_id));
        }
    }
    let last = evidence.events.last().map_or(0, |event| event.position);
    if last != evidence.head {
        found.add("I2", format!("the head is at {}, the last event at {last}", evidence.head));
    }
    let mut commands = HashSet::new();
    for command in &evidence.commands {
        if !commands.insert((command.command_id, command.scope)) {
            found.add("I2", format!("command {} is answered twice", command.command_id));
        }
    }
}

/// Every command's positions hold its events and no others, and no event is without its command.
fn wholeness(evidence: &Evidence, found: &mut Findings) {
    let mut owners = HashMap::<i64, (uuid::Uuid, i64)>::new();
    for command in &evidence.commands {
        let (Some(first), Some(last)) = (command.first_position, command.last_position) else { continue };
        for position in first..=last {
            if owners.insert(position, (command.command_id, command.scope)).is_some() {
                found.add("I4", format!("position {position} belongs to two commands"));
            }
        }
    }
    for event in &evidence.events {
        if owners.remove(&event.position) != Some((event.command_id, event.scope)) {
            found.add("I4", format!("position {} is not where its command says", event.position));
        }
    }
    for (position, (command, _)) in owners {
        found.add("I4", format!("command {command} says that it has position {position}: nothing is there"));
    }
}
