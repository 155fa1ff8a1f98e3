//! The partitions of all topics, numbered, and where the relay is in each.

use domain::StreamId;
use event_store::{Lane, Position, Topic};

use crate::connection::Kafka;

/// The last record of a partition that counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The position of the last event in the partition; 0: there is none.
    pub(crate) last_event: Position,
    /// The position of the last record, which may be a watermark.
    pub(crate) through: Position,
    /// Where that record is; `None`: there is none.
    pub(crate) offset: Option<i64>,
}

/// The partitions of all topics: first those of the first topic.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    names: Vec<String>,
    partitions: u32,
}

impl Layout {
    pub(crate) fn of(kafka: &Kafka) -> Self {
        let names = Topic::ALL.iter().map(|topic| kafka.name(*topic)).collect();
        Self { names, partitions: kafka.partitions.max(1) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len() * self.partitions as usize
    }

    /// The number of a lane. `None`: it is not one of these.
    pub(crate) fn index_of(&self, lane: Lane) -> Option<usize> {
        let Lane::Partition { topic, partition, of } = lane else { return None };
        let topic = Topic::ALL.iter().position(|each| *each == topic)?;
        (of == self.partitions).then_some(topic * self.partitions as usize + partition as usize)
    }

    /// The number of the partition that a stream's events are in.
    pub(crate) fn index(&self, stream: &StreamId) -> usize {
        self.index_of(Lane::of(stream, self.partitions)).unwrap_or_default()
    }

    /// The lane of that number.
    pub(crate) fn lane(&self, index: usize) -> Lane {
        let (topic, partition) = (index / self.partitions as usize, index % self.partitions as usize);
        Lane::Partition { topic: Topic::ALL[topic], partition: partition as u32, of: self.partitions }
    }

    /// The whole name of its topic, and which of its partitions it is.
    pub(crate) fn address(&self, index: usize) -> (&str, i32) {
        let (topic, partition) = (index / self.partitions as usize, index % self.partitions as usize);
        (&self.names[topic], partition as i32)
    }

    /// The topics' whole names, each with the numbers of its partitions.
    pub(crate) fn topics(&self) -> impl Iterator<Item = (&str, std::ops::Range<usize>)> {
        let each = self.partitions as usize;
        self.names
            .iter()
            .enumerate()
            .map(move |(topic, name)| (name.as_str(), topic * each..(topic + 1) * each))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Security;

    #[test]
    fn every_lane_has_a_number_of_its_own() {
        let kafka = Kafka {
            brokers: String::new(),
            security: Security::Plaintext,
            topics: "t".to_owned(),
            partitions: 3,
            replication: 1,
        };
        let layout = Layout::of(&kafka);
        let numbers: Vec<_> = Lane::all(3).map(|lane| layout.index_of(lane).unwrap()).collect();
        assert_eq!(numbers, (0..layout.len()).collect::<Vec<_>>());
        for (number, lane) in Lane::all(3).enumerate() {
            let Lane::Partition { topic, partition, .. } = lane else { unreachable!() };
            assert_eq!(layout.lane(number), lane);
            assert_eq!(layout.address(number), (kafka.name(topic).as_str(), partition as i32));
        }
        assert!(Lane::all(4).all(|lane| layout.index_of(lane).is_none()));
        assert!(layout.index_of(Lane::Log).is_none());
    }
}
