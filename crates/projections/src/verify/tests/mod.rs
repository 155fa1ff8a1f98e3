//! What verification finds: first that all is well where all is well, then one kind of damage after another.

mod log;
mod money;
mod read_models;
pub(crate) mod shop;
mod well;
