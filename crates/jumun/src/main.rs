//! The binary. Its roles join as they are built.

fn main() {}
