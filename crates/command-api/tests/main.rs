//! The command side on a real database.
#![allow(clippy::unwrap_used)]

mod call;
mod engine_behind;
mod engine_defects;
mod engine_frozen;
mod engine_idempotency;
mod engine_nodes;
mod engine_one_node;
mod engine_presumed;
mod given;
mod http_bad_bodies;
mod http_bad_texts;
mod http_card_numbers;
mod http_customers;
mod http_flow;
mod http_idempotency;
mod http_openapi;
mod http_others;
mod http_registration;
mod http_sessions;
mod http_trace;
mod http_wait;
mod http_webhooks;
mod shop;
