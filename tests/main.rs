//! Whole-system tests: the real binary, its real servers, and nothing but the public surface.
//!
//! They run on one machine and scaled out: `JUMUN_TEST_MODE=scaled`. Every test that changes much has a shop of its own; all run side
//! by side. Nothing sleeps for luck: tests wait for a position, an answer or the end of a process, each with a deadline.
#![allow(clippy::unwrap_used)]

mod bad_bytes;
mod bad_input;
mod chaos;
mod clocks;
mod faults;
mod flow;
mod held;
mod hot_stock;
mod import;
mod newer;
mod outcomes;
mod read_your_writes;
mod readme;
mod rebuilding;
mod recovery;
mod restored;
mod rules;
mod searching;
mod shop;
mod verification;
