//! HTTP in, and the command engine.

pub mod engine;
