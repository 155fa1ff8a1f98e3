//! Stock: on hand, reserved, available; as it is, and as it changes.

pub(crate) mod live;
