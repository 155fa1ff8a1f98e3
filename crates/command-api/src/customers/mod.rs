//! Customers: registering, changing one's profile, being forgotten.

mod bodies;
mod forget;
mod owner;
pub(crate) mod profile;
mod register;

pub(crate) use forget::*;
pub(crate) use owner::owner;
pub(crate) use profile::{__path_add_address, __path_change, add_address, change};
pub(crate) use register::*;
