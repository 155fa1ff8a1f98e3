//! What makes an exported history checkable: a chain of hashes over its events, and a statement about every stream.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::canonical;

/// How the chain is made, for whoever checks it.
pub const METHOD: &str = "hash[n] = hex(sha-256(hash[n-1] + \"\\n\" + canonical JSON (RFC 8785) of event n without its \
                          member `hash`)), in the order of positions; hash[0] = `start` = \
                          hex(sha-256(\"jumun-audit-1\\n\" + order id))";

/// What is stated about one stream of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditedStream)]
pub struct Stream {
    /// Its name.
    #[schema(example = "order-0192f0c1-9d3e-7cc4-8000-000000000000")]
    pub stream: String,
    /// `true`: all its events up to the log's position are here. `false`: only those about this order, of a stock item.
    pub whole: bool,
    /// Version of its first event here.
    pub first_version: u32,
    /// Version of its last event here.
    pub last_version: u32,
    /// How many of its events are here.
    pub count: usize,
    /// Whether their versions are 1, 2, 3, … without a gap. Only stated of a whole stream.
    pub contiguous: Option<bool>,
}

/// The proof that goes with a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditProof)]
pub struct Proof {
    /// How the hashes are made.
    pub method: &'static str,
    /// What the chain starts from.
    pub start: String,
    /// The hash of the last event: it stands for the whole history.
    pub end: String,
    /// How many events.
    pub count: usize,
    /// One statement per stream.
    pub streams: Vec<Stream>,
    /// Whether every whole stream is contiguous from version 1.
    pub complete: bool,
}

/// What is wrong with an exported history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not an answer of the audit at all.
    #[error("{0} is missing, or not what it should be")]
    Malformed(&'static str),
    /// The event there was changed, removed, added or moved.
    #[error("the hash of event {0} does not follow from the event and those before it")]
    Broken(usize),
    /// Events are missing at the end, or were added there.
    #[error("the chain does not end as its proof says")]
    Cut,
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

/// Checks an exported history against its own proof.
///
/// # Errors
/// The first [`Fault`] found.
pub fn check(export: &Value) -> Result<(), Fault> {
    let text = |pointer, name| export.pointer(pointer).and_then(Value::as_str).ok_or(Fault::Malformed(name));
    let mut previous = start(text("/order_id", "order_id")?);
    if text("/proof/start", "proof.start")? != previous {
        return Err(Fault::Broken(0));
    }
    let events = export.get("events").and_then(Value::as_array).ok_or(Fault::Malformed("events"))?;
    for (index, event) in events.iter().enumerate() {
        let mut event = event.as_object().cloned().ok_or(Fault::Malformed("an event"))?;
        let stated = event.remove("hash");
        previous = next(&previous, &Value::Object(event));
        if stated.as_ref().and_then(Value::as_str) != Some(&previous) {
            return Err(Fault::Broken(index));
        }
    }
    if text("/proof/end", "proof.end")? == previous { Ok(()) } else { Err(Fault::Cut) }
}
