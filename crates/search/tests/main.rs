//! Search on a real OpenSearch node, over rows in a real PostgreSQL.
#![allow(clippy::unwrap_used)]

mod auditing;
mod away;
mod beyond;
mod given;
mod indexing;
mod node;
mod proxy;
mod rebuilding;
mod spoilt;
mod suite;
