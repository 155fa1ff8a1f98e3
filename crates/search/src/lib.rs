//! Search in OpenSearch: the index, what is written into it, and how it is asked.
//!
//! The rows of the read model `products` are the truth. Whatever changes what a product shows queues it in the same transaction;
//! [`run`] writes the documents of what is queued; [`audit`] compares all of them with the rows, and [`rebuild`] makes another index
//! beside the one that is asked. [`OpenSearch`] is a `Finder`, as PostgreSQL is.

mod ask;
mod audit;
mod breaker;
mod bulk;
mod client;
mod compare;
mod document;
mod error;
mod index;
mod indexer;
mod queue;
mod rebuild;

pub use audit::{Audit, audit, keep_auditing};
pub use client::OpenSearch;
pub use compare::Drift;
pub use error::Error;
pub use indexer::{Parked, parked, retry, run};
pub use rebuild::{Rebuilt, rebuild};
