//! What makes an exported history checkable: a chain of hashes over its events, and a statement about every stream.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::canonical;

/// How the chain is made, for whoever checks it.
pub(super) const METHOD: &str = "hash[n] = hex(sha-256(hash[n-1] + \"\\n\" + canonical JSON (RFC 8785) of event n without its \
                          member `hash`)), in the order of positions; hash[0] = `start` = \
                          hex(sha-256(\"jumun-audit-1\\n\" + order id))";

/// What is stated about one stream of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditedStream)]
pub(crate) struct Stream {
    /// Its name.
    #[schema(example = "order-0192f0c1-9d3e-7cc4-8000-000000000000")]
    pub(crate) stream: String,
    /// `true`: all its events up to the log's position are here. `false`: only those about this order, of a stock item.
    pub(crate) whole: bool,
    /// Version of its first event here.
    pub(crate) first_version: u32,
    /// Version of its last event here.
    pub(crate) last_version: u32,
    /// How many of its events are here.
    pub(crate) count: usize,
    /// Whether their versions are 1, 2, 3, … without a gap. Only stated of a whole stream.
    pub(crate) contiguous: Option<bool>,
}

/// The proof that goes with a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditProof)]
pub(crate) struct Proof {
    /// How the hashes are made.
    pub(crate) method: &'static str,
    /// What the chain starts from.
    pub(crate) start: String,
    /// The hash of the last event: it stands for the whole history.
    pub(crate) end: String,
    /// How many events.
    pub(crate) count: usize,
    /// One statement per stream.
    pub(crate) streams: Vec<Stream>,
    /// Whether every whole stream is contiguous from version 1.
    pub(crate) complete: bool,
}

/// What the chain of an order's history starts from.
pub(super) fn start(order_id: &str) -> String {
    hex::encode(Sha256::digest(format!("jumun-audit-1\n{order_id}")))
}

/// The hash of an event that follows on another.
pub(super) fn next(previous: &str, event: &Value) -> String {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update("\n");
    hash.update(canonical::text(event));
    hex::encode(hash.finalize())
}
