//! The log on Kafka: topics, the envelope of a record, the relay that publishes, and the feed that reads.

pub mod connection;
pub mod envelope;
mod feed;
mod follower;
#[cfg(feature = "msk-iam")]
mod msk_iam;
pub mod relay;
pub mod topics;
pub mod verify;

pub use feed::KafkaFeed;
pub use follower::{Follower, Seen};
