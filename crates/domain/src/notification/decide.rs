//! The rules of notices.

use serde::{Deserialize, Serialize};

use super::{Command, Event, Failed, Sent};
use crate::command::{Decision, States};
use crate::{Kind, Refusal};

/// What is known of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not there yet.
    #[default]
    Unknown,
    /// To be sent.
    Requested,
    /// Sent.
    Sent,
    /// Not sent.
    Failed,
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Request it first. Problem `not-found`.
    #[error("there is no such notice")]
    Unknown,
    /// It has ended already. Problem `invalid-state`.
    #[error("this notice has ended already")]
    Ended,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown => Self::not_found("notice"),
            Error::Ended => Self::new(Kind::Conflict, "invalid-state", error.to_string()),
        }
    }
}

/// Decides on one notice.
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Error> {
    match (state, command) {
        (State::Unknown, Command::Request(requested)) => Ok(vec![requested.clone().into()]),
        (_, Command::Request(_))
        | (State::Sent, Command::RecordSent { .. })
        | (State::Failed, Command::RecordFailed { .. }) => Ok(Vec::new()),
        (State::Requested, Command::RecordSent { provider_reference, .. }) => {
            Ok(vec![Sent { provider_reference: provider_reference.clone() }.into()])
        }
        (State::Requested, Command::RecordFailed { reason, .. }) => {
            Ok(vec![Failed { reason: reason.clone() }.into()])
        }
        (State::Unknown, _) => Err(Error::Unknown),
        (State::Sent | State::Failed, _) => Err(Error::Ended),
    }
}

/// The state after one more event.
#[must_use]
pub fn evolve(_state: State, event: &Event) -> State {
    match event {
        Event::Requested(_) => State::Requested,
        Event::Sent(_) => State::Sent,
        Event::Failed(_) => State::Failed,
    }
}

/// Decides on one notice among loaded states.
pub fn decide_over(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    let stream = command.stream();
    match states.get(&stream) {
        Some(crate::State::Notification(state)) => Ok(Decision::on(&stream, decide(state, command)?)),
        _ => Err(Refusal::not_loaded()),
    }
}
