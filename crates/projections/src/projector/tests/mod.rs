//! One property of the projector per file.

mod added_later;
mod caught_up_beside;
mod folded_anew;
mod leads_nowhere;
mod one_at_a_time;
mod other_epoch;
mod outage;
mod parks;
mod partitions;
mod reaching;
mod retries;
mod split;
mod stops;
mod stored_with_rows;
pub(crate) mod tally;
