//! The query API on a real database with the real projector running.
#![allow(clippy::unwrap_used)]

mod answers;
mod audit;
mod conditional;
mod consistency;
mod events;
mod given;
mod orders;
mod outages;
mod products;
mod refusals;
mod replicas;
mod searching;
mod shop;
mod stock;
