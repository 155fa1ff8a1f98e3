//! One property of a rebuild per file.

mod batches;
mod beside;
mod differs;
mod interrupted;
mod lanes;
mod meanwhile;
mod queried;
mod refused;
mod rolled_back;
mod same_rows;
mod shop;
mod shorter;
mod thrown_away;
mod too_much;
mod version;
