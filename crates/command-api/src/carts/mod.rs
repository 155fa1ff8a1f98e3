//! Carts.

mod bodies;
mod items;
mod open;

pub(crate) use items::*;
pub(crate) use open::*;
