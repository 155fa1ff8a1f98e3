//! The log on Kafka, on a real broker.
#![allow(clippy::unwrap_used)]

mod broker_killed;
mod consumers;
mod feeds;
mod given;
mod group;
mod holes;
mod kept;
mod published;
mod refused;
mod relay;
mod stage;
mod verification;
