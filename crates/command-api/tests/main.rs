//! The command side on a real database.
#![allow(clippy::unwrap_used)]

mod engine_frozen;
mod engine_idempotency;
mod engine_nodes;
mod engine_one_node;
mod given;
