//! What the relays do, one round trip at a time, as `crates/event-bus/src/relay` does it.

use std::collections::VecDeque;

use event_bus::{Follower, Seen};
use event_store::Position;

use super::Broken;
use super::consumer::EPOCH;
use super::state::{End, LOG, PARTITIONS, Partition, Place, Record, Relay, State};

/// Records of one relay that are under way at once.
const IN_FLIGHT_MAX: usize = 2;

/// `Candidate::take` (lease.rs): the term grows.
pub(super) fn take(state: &mut State, relay: usize) {
    state.lease.term += 1;
    state.relays[relay] = Relay::Looking { lease: state.lease, ends: Vec::new() };
}

/// `Reading::begin` and `Tail::see` (tail.rs), for the next partition; after the last one `Leading::begin` (leading.rs).
pub(super) fn look(state: &mut State, relay: usize, broken: Broken) {
    let Relay::Looking { lease, ends } = &mut state.relays[relay] else { return };
    let place = lease.places[ends.len()];
    let records = &state.kafka[ends.len()];
    match tail(records, lease.position, place, broken) {
        Some(end) => ends.push(end),
        None => state.contradicted = true,
    }
    if ends.len() < PARTITIONS {
        return;
    }
    let sent = ends.iter().map(|end| end.complete).min().unwrap_or_default();
    let begin = |(end, stored): (&End, &Place)| Partition {
        sent: Place { offset: None, ..end.place },
        acknowledged: end.place,
        complete: end.complete,
        changed: end.place != *stored,
        in_flight: VecDeque::new(),
    };
    let partitions = ends.iter().zip(&lease.places).map(begin).collect();
    state.relays[relay] = Relay::Leading { term: lease.term, partitions, sent, newest: lease.position };
}

/// The end of a partition by the header rule. `None`: it does not have what was acknowledged.
fn tail(records: &[Record], acknowledged: u8, mut place: Place, broken: Broken) -> Option<End> {
    let begin = acknowledged.max(place.offset.map_or(0, |_| place.through));
    let mut follower = Follower::new(Position(u64::from(begin)), EPOCH);
    let first = usize::from(place.offset.unwrap_or(0));
    if place.offset.is_some() && records.get(first).map(|record| place_of(first, *record)) != Some(place) {
        return None;
    }
    for (offset, record) in records.iter().enumerate().skip(first) {
        let prev = if broken == Broken::TheLastRecordCounts { 0 } else { record.prev };
        let (position, prev) = (Position(u64::from(record.position)), Position(u64::from(prev)));
        if follower.see(position, prev, EPOCH) == Seen::Next {
            place = place_of(offset, *record);
        }
    }
    Some(End { place, complete: follower.position().0 as u8 })
}

fn place_of(offset: usize, record: Record) -> Place {
    let last_event = if record.event { record.position } else { record.prev };
    Place { last_event, through: record.position, offset: Some(offset as u8) }
}

fn leading(relay: &mut Relay) -> Option<(&mut Vec<Partition>, &mut u8)> {
    match relay {
        Relay::Leading { partitions, sent, .. } => Some((partitions, sent)),
        _ => None,
    }
}

/// `Leading::send`: the next event of the log, unless its partition has it.
pub(super) fn send(state: &mut State, relay: usize, head: u8, broken: Broken) -> Option<()> {
    let (partitions, sent) = leading(&mut state.relays[relay])?;
    if *sent == head || partitions.iter().map(|each| each.in_flight.len()).sum::<usize>() >= IN_FLIGHT_MAX {
        return None;
    }
    *sent += 1;
    let position = *sent;
    let partition = &mut partitions[LOG[usize::from(position) - 1]];
    if position > partition.complete {
        let prev = if broken == Broken::PrevIsOfTheLog { position - 1 } else { partition.sent.last_event };
        partition.in_flight.push_back(Record { position, prev, event: true });
        (partition.sent.last_event, partition.sent.through) = (position, position);
    }
    Some(())
}

/// `Leading::mark`: every partition is told how far the log is, unless watermarks are under way.
pub(super) fn mark(state: &mut State, relay: usize) -> Option<()> {
    state.watermarks_left = state.watermarks_left.checked_sub(1)?;
    let (partitions, sent) = leading(&mut state.relays[relay])?;
    if partitions.iter().any(|each| each.in_flight.iter().any(|record| !record.event)) {
        return None;
    }
    let mut any = false;
    for partition in partitions.iter_mut().filter(|each| each.sent.through < *sent) {
        let prev = partition.sent.last_event;
        partition.in_flight.push_back(Record { position: *sent, prev, event: false });
        partition.sent.through = *sent;
        any = true;
    }
    any.then_some(())
}

/// A record arrives, and `Leading::acknowledge` hears of it. That it hears of it later is the same as that it stores it later.
pub(super) fn arrive(state: &mut State, relay: usize, partition: usize) -> Option<()> {
    let Relay::Leading { partitions, newest, .. } = &mut state.relays[relay] else { return None };
    let own = &mut partitions[partition];
    let record = own.in_flight.pop_front()?;
    let offset = state.kafka[partition].len();
    state.kafka[partition].push(record);
    if record.event {
        own.acknowledged.last_event = record.position;
        *newest = (*newest).max(record.position);
    }
    (own.acknowledged.through, own.acknowledged.offset) = (record.position, Some(offset as u8));
    own.changed = true;
    Some(())
}

/// `Leading::store` and `Candidate::move_to`: the checkpoint and the places, by the term that leads, or nothing.
pub(super) fn store(state: &mut State, relay: usize, broken: Broken) -> Option<()> {
    let Relay::Leading { term, partitions, sent, newest } = &mut state.relays[relay] else { return None };
    if *term != state.lease.term && broken != Broken::AnyTermStores {
        state.end(relay);
        return Some(());
    }
    // `Window::reached`: all before the first that is not acknowledged.
    let waiting = partitions.iter().flat_map(|each| &each.in_flight).filter(|record| record.event);
    let reached = waiting.map(|record| record.position - 1).min().unwrap_or(*sent);
    state.lease.position = if broken == Broken::TheNewestCounts { *newest } else { reached };
    for (place, partition) in state.lease.places.iter_mut().zip(partitions.iter_mut()) {
        if std::mem::take(&mut partition.changed) {
            *place = partition.acknowledged;
        }
    }
    Some(())
}

/// A record that was lost is taken for one that has arrived: a delivery error that nobody looks at.
pub(super) fn lose_unnoticed(state: &mut State, relay: usize, partition: usize) -> Option<()> {
    state.losses_left = state.losses_left.checked_sub(1)?;
    let (partitions, _) = leading(&mut state.relays[relay])?;
    partitions[partition].in_flight.pop_front().map(drop)
}
