//! How much of the log is taken: each part of it up to a place.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use domain::StreamId;
use event_store::{Lane, NotALane, Position, Recorded, partition_of};

use crate::Progress;

/// A part of the log that is folded in order by somebody of his own. Written as the lane is, or `share/0/2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// What a feed delivers in order.
    Lane(Lane),
    /// One of so many shares of all streams, whatever their topics; from 0.
    Share { number: u32, of: u32 },
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lane(lane) => lane.fmt(f),
            Self::Share { number, of } => write!(f, "share/{number}/{of}"),
        }
    }
}

impl FromStr for Part {
    type Err = NotALane;

    fn from_str(name: &str) -> Result<Self, NotALane> {
        let share = || {
            let (number, of) = name.strip_prefix("share/")?.split_once('/')?;
            let (number, of): (u32, u32) = (number.parse().ok()?, of.parse().ok()?);
            (number < of).then_some(Self::Share { number, of })
        };
        share().map_or_else(|| name.parse().map(Self::Lane), Ok)
    }
}

/// Parts of the log, each up to a place. The parts are all lanes of one feed, or all shares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    places: BTreeMap<Part, Position>,
    /// Into how many partitions topics are cut, and streams into shares: one number each, but for a change under way.
    partitions: BTreeSet<u32>,
    shares: BTreeSet<u32>,
}

impl Extent {
    /// All of the log up to there.
    pub(crate) fn log(position: Position) -> Self {
        Self::from_iter([(Part::Lane(Lane::Log), position)])
    }

    /// Nothing yet, in so many shares.
    pub(crate) fn shares(of: u32) -> Self {
        (0..of).map(|number| (Part::Share { number, of }, Position(0))).collect()
    }

    /// The same parts, all of them up to there.
    pub(crate) fn all_at(&self, position: Position) -> Self {
        self.parts().map(|part| (part, position)).collect()
    }

    /// Its parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        self.places.keys().copied()
    }

    /// Its parts with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Part, Position)> {
        self.places.iter().map(|(part, position)| (*part, *position))
    }

    /// Whether both have the same parts.
    pub(crate) fn is_cut_like(&self, other: &Self) -> bool {
        self.places.keys().eq(other.places.keys())
    }

    /// All of the log up to here is in it.
    pub(crate) fn least(&self) -> Position {
        self.places.values().min().copied().unwrap_or_default()
    }

    /// Nothing of the log after here is in it.
    pub(crate) fn most(&self) -> Position {
        self.places.values().max().copied().unwrap_or_default()
    }

    /// The place of a part.
    pub(crate) fn at(&self, part: Part) -> Option<Position> {
        self.places.get(&part).copied()
    }

    /// The part that a stream's events are in. `None`: in none, they are of a topic that is not followed.
    pub(crate) fn part_of(&self, stream: &StreamId) -> Option<Part> {
        let shares = self.shares.iter().map(|of| {
            let number = partition_of(stream.as_str(), *of);
            Part::Share { number, of: *of }
        });
        let lanes = self.partitions.iter().map(|of| Part::Lane(Lane::of(stream, *of)));
        let mut parts = std::iter::once(Part::Lane(Lane::Log)).chain(shares).chain(lanes);
        parts.find(|part| self.places.contains_key(part))
    }

    /// Whether all its parts are shares.
    pub(crate) fn is_shares(&self) -> bool {
        self.parts().all(|part| matches!(part, Part::Share { .. }))
    }

    /// Whether events of the stream of this name may be in it. With lanes it does not look closely.
    pub(crate) fn may_hold(&self, stream: &str) -> bool {
        let share = |of: &u32| Part::Share { number: partition_of(stream, *of), of: *of };
        !self.is_shares() || self.shares.iter().any(|of| self.places.contains_key(&share(of)))
    }

    /// Whether some part is further than the other one lets it be.
    pub(crate) fn exceeds(&self, other: &Self) -> bool {
        self.iter().any(|(part, place)| place > other.bound(part))
    }

    /// Up to where a part of another extent may go without leaving this one.
    pub(crate) fn bound(&self, part: Part) -> Position {
        self.at(part).unwrap_or_else(|| self.least())
    }

    /// Where it is when all of the log up to there was looked at, on the way to the target. It never goes back.
    pub(crate) fn towards(&self, target: &Self, through: Position) -> Self {
        self.iter().map(|(part, place)| (part, place.max(through.min(target.bound(part))))).collect()
    }

    /// Those of these events that are in the next extent, of the same parts, and not yet in this one.
    pub(crate) fn missing<'e>(&self, next: &Self, events: &'e [Recorded]) -> Cow<'e, [Recorded]> {
        let missing = |event: &Recorded| {
            let part = self.part_of(&event.stream);
            let places = part.and_then(|part| self.at(part).zip(next.at(part)));
            places.is_some_and(|(place, next)| event.position > place && event.position <= next)
        };
        // Almost always it is all of them.
        if events.iter().all(missing) {
            return Cow::Borrowed(events);
        }
        events.iter().filter(|event| missing(event)).cloned().collect()
    }
}

impl FromIterator<(Part, Position)> for Extent {
    fn from_iter<I: IntoIterator<Item = (Part, Position)>>(places: I) -> Self {
        let mut extent = Self { places: places.into_iter().collect(), ..Self::default() };
        for part in extent.places.keys() {
            match part {
                Part::Lane(Lane::Partition { of, .. }) => extent.partitions.insert(*of),
                Part::Share { of, .. } => extent.shares.insert(*of),
                Part::Lane(Lane::Log) => false,
            };
        }
        extent
    }
}

impl From<&Progress> for Extent {
    fn from(progress: &Progress) -> Self {
        progress.lanes.iter().map(|(lane, place)| (Part::Lane(*lane), place.position)).collect()
    }
}

#[cfg(test)]
mod tests {
    use domain::ids::OrderId;
    use event_store::Topic;
    use uuid::Uuid;

    use super::*;

    fn order(number: u128) -> StreamId {
        StreamId::order(OrderId(Uuid::from_u128(number)))
    }

    #[test]
    fn parts_are_read_as_they_are_written() {
        let partition = Lane::Partition { topic: Topic::Orders, partition: 3, of: 6 };
        for part in [Part::Lane(Lane::Log), Part::Lane(partition), Part::Share { number: 1, of: 2 }] {
            assert_eq!(part.to_string().parse::<Part>().unwrap(), part);
        }
        assert!("share/2/2".parse::<Part>().is_err());
        assert!("share".parse::<Part>().is_err());
    }

    #[test]
    fn every_stream_is_in_one_share() {
        let extent = Extent::shares(3);
        let mut seen = BTreeSet::new();
        for stream in (0..100).map(order) {
            seen.extend(extent.part_of(&stream));
        }
        assert_eq!(seen, extent.parts().collect());
    }

    #[test]
    fn a_stream_is_as_far_as_its_lane() {
        let extent: Extent = (0..6)
            .map(|partition| {
                let lane = Lane::Partition { topic: Topic::Orders, partition, of: 6 };
                (Part::Lane(lane), Position(u64::from(partition)))
            })
            .collect();
        for stream in (0..100).map(order) {
            assert_eq!(
                extent.part_of(&stream).and_then(|part| extent.at(part)).unwrap().0,
                u64::from(partition_of(stream.as_str(), 6))
            );
        }
        let elsewhere = StreamId::payment(domain::ids::PaymentId(Uuid::nil()));
        assert_eq!(extent.part_of(&elsewhere), None);
        assert_eq!((extent.least(), extent.most()), (Position(0), Position(5)));
    }

    #[test]
    fn the_whole_log_bounds_every_part() {
        let share = Part::Share { number: 0, of: 2 };
        assert_eq!(Extent::log(Position(7)).bound(share), Position(7));
        let shares = Extent::shares(2);
        assert_eq!(shares.towards(&Extent::log(Position(7)), Position(5)), shares.all_at(Position(5)));
        assert_eq!(shares.towards(&Extent::log(Position(7)), Position(9)), shares.all_at(Position(7)));
    }
}
