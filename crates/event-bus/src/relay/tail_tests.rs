//! What counts at the end of a partition.

use super::*;
use crate::envelope::Watermark;

const EPOCH: Uuid = Uuid::from_u128(1);

fn record(position: u64, prev: u64) -> Record {
    Record::Watermark(Watermark { position: Position(position), prev: Position(prev), epoch: EPOCH })
}

fn place(last_event: u64, through: u64, offset: i64) -> Place {
    Place { last_event: Position(last_event), through: Position(through), offset: Some(offset) }
}

fn tail(place: Place, complete: u64) -> Tail {
    let follower = Follower::new(Position(complete), EPOCH);
    Tail { follower, ..Tail::between(place.offset.unwrap(), 100, place, EPOCH) }
}

#[test]
fn what_goes_on_counts_and_what_is_known_or_missing_does_not() {
    let mut tail = tail(place(5, 5, 10), 8);
    for (offset, position, prev) in [(11, 7, 5), (12, 12, 5), (13, 20, 15), (14, 14, 12)] {
        assert_eq!(tail.see(offset, &record(position, prev)), Fits::Yes);
    }
    assert_eq!(tail.end(), End { place: place(12, 14, 14), complete: Position(14) });
}

#[test]
fn a_partition_that_has_nothing_new_is_as_complete_as_what_was_acknowledged_everywhere() {
    let tail = tail(place(5, 6, 10), 8);
    assert_eq!(tail.end(), End { place: place(5, 6, 10), complete: Position(8) });
}

#[test]
fn the_record_that_was_acknowledged_must_be_there() {
    let expecting = || Tail { expected: true, ..tail(place(5, 6, 10), 8) };
    assert_eq!(expecting().see(10, &record(6, 5)), Fits::Yes);
    for (offset, position, prev) in [(10, 7, 5), (10, 6, 4), (11, 6, 5)] {
        assert_eq!(expecting().see(offset, &record(position, prev)), Fits::NotAcknowledged);
    }
}

#[test]
fn a_partition_without_its_beginning_begins_with_its_first_record() {
    let unrooted = Tail { rooted: false, ..tail(Place { offset: Some(40), ..Place::default() }, 0) };
    let mut tail = unrooted;
    assert_eq!(tail.see(40, &record(30, 20)), Fits::Yes);
    assert_eq!(tail.end().complete, Position(30));
}

#[test]
fn a_record_of_another_log_fits_nowhere() {
    let foreign = Watermark { position: Position(9), prev: Position(5), epoch: Uuid::from_u128(2) };
    assert_eq!(tail(place(5, 5, 10), 5).see(11, &Record::Watermark(foreign)), Fits::OtherLog);
}
