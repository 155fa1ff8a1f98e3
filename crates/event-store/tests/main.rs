//! The promises of the log, each on a real database and each in a file named for it.
#![allow(clippy::unwrap_used)]

mod append_only;
mod atomic;
mod behind;
mod built_on;
mod durable;
mod encrypted;
mod forgotten;
mod gapless;
mod given;
mod given_up;
mod once;
mod patient;
mod read_once;
mod refusals_are_fresh;
mod replay;
mod snapshots;
mod upcast;
mod woken;
