//! Whole-system tests: the real binary, its real servers, and nothing but the public surface.
//!
//! Every test that changes much has a shop of its own; all run side by side. Nothing sleeps for luck: tests wait for a
//! position, an answer or the end of a process, each with a deadline.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod flow;
mod hot_stock;
mod import;
mod outcomes;
mod readme;
mod recovery;
mod rules;
mod shop;
mod verification;
