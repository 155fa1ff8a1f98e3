//! Orders: placing them, calling them off, giving back; and for the staff, sending, taking back, refunding.

mod bodies;
mod call_off;
mod fulfil;
mod give_back;
mod place;
pub(crate) mod settlements;

pub(crate) use call_off::*;
pub(crate) use fulfil::*;
pub(crate) use give_back::*;
pub(crate) use place::*;
