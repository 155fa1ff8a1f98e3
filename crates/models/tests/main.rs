//! Models of what interleavings decide, each explored exhaustively within bounds; docs/models.md says what is in them.
//!
//! Every model also comes with its rules broken one at a time: the checker must find a way through each. A model that cannot fail
//! says nothing.
#![allow(clippy::unwrap_used)]

mod check;
mod engine;
mod relay;
mod shop;
