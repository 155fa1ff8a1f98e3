//! The adapter against the gateway's real server, over HTTP. The ledger is the truth.
#![allow(clippy::unwrap_used)]

mod each_token;
mod given;
mod gone;
mod keys;
mod ledger;
mod senseless;
mod webhooks;
