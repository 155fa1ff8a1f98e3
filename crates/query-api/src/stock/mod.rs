//! Stock: on hand, reserved, available; as it is, as it changes, and what must be ordered again.

mod alerts;
mod board;
mod live;
mod now;

pub(crate) use alerts::*;
pub(crate) use board::Board;
pub(crate) use live::*;
pub(crate) use now::*;
