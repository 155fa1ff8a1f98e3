//! The private PostgreSQL of `jumun up`: its programs, its folder, and the server that runs on it.

mod download;
mod folder;
mod left_over;
mod owner;
mod processes;
mod programs;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use self::server::Postgres;
