//! One property of the projector per file.

mod added_later;
mod caught_up_beside;
mod folded_anew;
mod never_skips;
mod one_at_a_time;
mod other_epoch;
mod outage;
mod reaching;
mod stops;
mod stored_with_rows;
mod tally;
