//! What both APIs share: problem documents, extractors that answer with them, bearer tokens, cursors, consistency tokens, and
//! the layers every call goes through.

pub mod auth;
mod body;
mod conditions;
mod consistency;
mod correlation;
pub mod cursor;
mod idempotency;
mod layers;
mod problem;
pub mod server;
mod url;

pub use body::{BODY_BYTES_MAX, Json, body_bytes, json_bytes};
pub use conditions::{IfMatch, Prefer, etag};
pub use consistency::{CONSISTENCY_TOKEN, ConsistencyToken};
pub use correlation::{Correlation, to_the_end};
pub use idempotency::IdempotencyKey;
pub use layers::{Probes, Ready, surface};
pub use problem::{Detail, Problem};
pub use url::{PathId, PathText, Query};
