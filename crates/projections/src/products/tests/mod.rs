//! Given events, when event, then row; and what is found in the rows.

mod bought;
mod counting;
mod examples;
mod facets;
mod folding;
mod paging;
mod searching;
mod suggesting;
