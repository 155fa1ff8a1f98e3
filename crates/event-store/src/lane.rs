//! Lanes: the parts of the log that are read each in order by somebody of their own. The whole log is one lane; on Kafka every
//! partition of a topic is one.

use std::fmt;
use std::str::FromStr;

use domain::{Category, StreamId};

/// What is published together: the events of one category, those of customers with the claims on their e-mail addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Customers, and who has which e-mail address.
    Customers,
    /// Products.
    Catalog,
    /// Stock items.
    Stock,
    /// Carts.
    Carts,
    /// Orders.
    Orders,
    /// Payments.
    Payments,
    /// Notices.
    Notifications,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Customers,
        Self::Catalog,
        Self::Stock,
        Self::Carts,
        Self::Orders,
        Self::Payments,
        Self::Notifications,
    ];

    /// The topic of a category's events.
    pub fn of(category: Category) -> Self {
        match category {
            Category::Customer | Category::Email => Self::Customers,
            Category::Product => Self::Catalog,
            Category::Stock => Self::Stock,
            Category::Cart => Self::Carts,
            Category::Order => Self::Orders,
            Category::Payment => Self::Payments,
            Category::Notification => Self::Notifications,
        }
    }

    /// The categories whose events are in it.
    pub fn categories(self) -> Vec<Category> {
        Category::ALL.into_iter().filter(|category| Self::of(*category) == self).collect()
    }

    /// Its name; on Kafka a prefix stands before it: `jumun.orders`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Catalog => "catalog",
            Self::Stock => "stock",
            Self::Carts => "carts",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Notifications => "notifications",
        }
    }

    /// The topic of that name, without a prefix.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// A part of the log that is read in order. Written `log`, or `orders/3/6` for partition 3 of the 6 of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// All of it.
    Log,
    /// One partition.
    Partition {
        /// Of which topic.
        topic: Topic,
        /// Which, from 0.
        partition: u32,
        /// How many partitions the topic has.
        of: u32,
    },
}

impl Lane {
    /// The partition that a stream's events are in, when every topic has so many (at least one).
    pub fn of(stream: &StreamId, partitions: u32) -> Self {
        Self::Partition {
            topic: Topic::of(stream.category()),
            partition: partition_of(stream.as_str(), partitions),
            of: partitions,
        }
    }

    /// All partitions of all topics, when every topic has so many.
    pub fn all(partitions: u32) -> impl Iterator<Item = Self> {
        Topic::ALL.into_iter().flat_map(move |topic| {
            (0..partitions).map(move |partition| Self::Partition { topic, partition, of: partitions })
        })
    }

    /// Whether a stream's events are in it.
    pub fn holds(self, stream: &StreamId) -> bool {
        match self {
            Self::Log => true,
            Self::Partition { of, .. } => Self::of(stream, of) == self,
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("log"),
            Self::Partition { topic, partition, of } => write!(f, "{}/{partition}/{of}", topic.name()),
        }
    }
}

/// Not the name of a lane.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a lane")]
pub struct NotALane(String);

impl FromStr for Lane {
    type Err = NotALane;

    fn from_str(name: &str) -> Result<Self, NotALane> {
        if name == "log" {
            return Ok(Self::Log);
        }
        let parse = || {
            let (topic, rest) = name.split_once('/')?;
            let (partition, of) = rest.split_once('/')?;
            let (partition, of): (u32, u32) = (partition.parse().ok()?, of.parse().ok()?);
            (partition < of).then_some(Self::Partition { topic: Topic::parse(topic)?, partition, of })
        };
        parse().ok_or_else(|| NotALane(name.to_owned()))
    }
}

/// The partition of a key as the producers of Kafka's own Java client choose it, so that consumers in other languages find the
/// same: murmur2 of the key's bytes, without its sign, modulo the number of partitions.
///
/// Source: `org.apache.kafka.common.utils.Utils.murmur2` and `BuiltInPartitioner.partitionForKey` of Kafka 4.
pub fn partition_of(key: &str, partitions: u32) -> u32 {
    (murmur2(key.as_bytes()) & 0x7fff_ffff) % partitions.max(1)
}

fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let (fours, rest) = data.as_chunks::<4>();
    for four in fours {
        let mut k = u32::from_le_bytes(*four).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    for (index, byte) in rest.iter().enumerate().rev() {
        hash ^= u32::from(*byte) << (8 * index);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that Kafka's own test has (`UtilsTest.testMurmur2`).
    #[test]
    fn keys_go_where_the_java_client_puts_them() {
        for (key, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn a_lane_is_read_as_it_is_written() {
        for lane in Lane::all(3).chain([Lane::Log]) {
            assert_eq!(lane.to_string().parse::<Lane>().unwrap(), lane);
        }
        for wrong in ["", "orders", "orders/3", "orders/3/3", "orders/-1/3", "letters/0/1", "log/0/1"] {
            assert!(wrong.parse::<Lane>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_stream_is_in_one_lane() {
        let stream = StreamId::parse("order-0198a7").unwrap();
        assert_eq!(Lane::all(6).filter(|lane| lane.holds(&stream)).count(), 1);
        assert!(Lane::Log.holds(&stream));
    }
}
