//! The relay, on a real broker and a real database.

mod broker;
mod crashes;
mod leads;
mod refuses;
mod stage;
mod zombies;
