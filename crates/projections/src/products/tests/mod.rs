//! Given events, when event, then row; and what is found in the rows.

mod bought;
mod counting;
mod folding;
mod queueing;

crate::finder_suite!(super::testing::Rows);
