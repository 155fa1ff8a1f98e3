//! Process managers on a real database, with the real engine and the real sandbox gateway over HTTP: when all goes well, when
//! it is unwound at every step, and when every step is repeated.
#![allow(clippy::unwrap_used)]

mod after;
mod attention;
mod forgotten;
mod gateway;
mod given;
mod happy;
mod lost;
mod patience;
mod recovered;
mod repeated;
mod shop;
mod stopped;
mod tidied;
mod two;
mod unknown;
mod unread;
mod unwound;
mod webhooks;
