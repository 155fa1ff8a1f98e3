//! The business, pure: no I/O, no async, no clock. Commands in, events or a refusal out.
//!
//! Every aggregate has one folder and one shape: `State::default()` is the initial state,
//! `decide(&State, &Command) -> Result<Vec<Event>, Error>` and `evolve(State, &Event) -> State`.
//! [`checkout`] decides across several aggregates; [`process`] says what must happen next.

pub mod actor;
pub mod address;
pub mod cart;
pub mod checkout;
pub mod command;
pub mod contract;
pub mod customer;
pub mod event;
pub mod history;
pub mod ids;
pub mod money;
pub mod notification;
pub mod order;
pub mod payment;
pub mod personal;
pub mod process;
pub mod product;
pub mod refusal;
pub mod state;
pub mod stock;
pub mod stream;
pub mod text;

#[cfg(test)]
mod tests;

/// A moment in UTC. The domain never reads a clock: times come in with commands.
pub type Time = chrono::DateTime<chrono::Utc>;

pub use actor::{Actor, Owner};
pub use address::{Address, Contact};
pub use command::{Command, Decision, States};
pub use event::Event;
pub use money::{Currency, Money};
pub use personal::Personal;
pub use refusal::{Kind, Refusal};
pub use state::State;
pub use stream::{Category, StreamId};
