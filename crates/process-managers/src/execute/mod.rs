//! Doing one step: what is asked of the outside or of the engine, and what the answer means for the step.

mod authorise;
mod money;
mod own;

use std::sync::Arc;

use command_api::engine::{self, Submission};
use domain::payment::{self, Operation};
use domain::process::Step;
use domain::{Command, State, StreamId};
use event_store::Loaded;
use payments::Gateway;
use tokio::sync::SemaphorePermit;

use crate::Runner;
use crate::steps::{Claimed, Ended};

/// Who gives the commands.
const SYSTEM: &str = "process-manager";

/// A claimed step with all that is needed to do it.
pub(crate) struct Task {
    pub(crate) runner: Arc<Runner>,
    pub(crate) step: Step,
    pub(crate) claimed: Claimed,
    /// The stream that it is about.
    pub(crate) loaded: Option<Loaded>,
}

/// The stream that a step looks at before it does anything.
pub(crate) fn stream_of(step: &Step) -> Option<StreamId> {
    match step {
        Step::Authorise { payment_id }
        | Step::Capture { payment_id, .. }
        | Step::Void { payment_id }
        | Step::Refund { payment_id, .. } => Some(StreamId::payment(*payment_id)),
        Step::Expire { order_id, .. } | Step::Notify { order_id, .. } => Some(StreamId::order(*order_id)),
        Step::DestroyKey { .. } => None,
    }
}

/// A gateway, and the right to call it now.
struct Line<'a> {
    gateway: &'a dyn Gateway,
    _permit: SemaphorePermit<'a>,
}

impl Task {
    /// One try.
    pub(crate) async fn run(&self) -> Ended {
        match &self.step {
            Step::Authorise { payment_id } => self.authorise(*payment_id).await,
            Step::Capture { payment_id, capture_id } => self.capture(*payment_id, *capture_id).await,
            Step::Void { payment_id } => self.void(*payment_id).await,
            Step::Refund { payment_id, refund_id } => self.refund(*payment_id, *refund_id).await,
            Step::Expire { order_id, at } => self.expire(*order_id, *at).await,
            Step::DestroyKey { subject } => self.destroy_key(*subject).await,
            Step::Notify { order_id, template, .. } => self.notify(*order_id, *template).await,
        }
    }

    /// Not yet.
    pub(crate) fn later(&self, why: impl Into<String>) -> Ended {
        Ended::Later { pause: self.runner.options.pause(self.claimed.attempts), why: why.into() }
    }

    fn state(&self) -> Option<State> {
        let loaded = self.loaded.as_ref()?;
        let state = match &loaded.snapshot {
            Some((_, state)) => state.clone(),
            None => State::initial(loaded.stream.category()),
        };
        Some(loaded.events.iter().fold(state, |state, recorded| state.evolve(&recorded.event)))
    }

    /// The payment as the log had it when this try began. It may have moved on; the engine decides on what is so then.
    fn payment(&self) -> Result<Box<payment::Known>, Ended> {
        match self.state() {
            Some(State::Payment(payment::State::Known(known))) => Ok(known),
            _ => Err(Ended::Attention("the log does not know the payment".to_owned())),
        }
    }

    fn order(&self) -> Result<Box<domain::order::Known>, Ended> {
        match self.state() {
            Some(State::Order(domain::order::State::Known(known))) => Ok(known),
            _ => Err(Ended::Attention("the log does not know the order".to_owned())),
        }
    }

    /// The gateway of that name. A busy one is not waited for: others have something to do meanwhile.
    fn line(&self, name: &str) -> Result<Line<'_>, Ended> {
        let (Some(gateway), Some(calls)) = (self.runner.gateways.get(name), self.runner.calls.get(name))
        else {
            return Err(Ended::Attention(format!("there is no gateway {name:?} any more")));
        };
        match calls.try_acquire() {
            Ok(permit) => Ok(Line { gateway: gateway.as_ref(), _permit: permit }),
            Err(_) => Err(Ended::Busy),
        }
    }

    /// Gives a command to the engine. Its name follows from the step and from what came of it, so that a step done again says
    /// the same again, and a step that ends otherwise is never mistaken for what it said before.
    async fn command(&self, what: &str, command: Command) -> Ended {
        let name = format!("{}/{what}", self.claimed.key);
        let mut submission = Submission::internal(command, &name, SYSTEM, None);
        submission.metadata.correlation_id = self.claimed.cause.correlation_id;
        submission.metadata.causation_id = Some(self.claimed.cause.event_id);
        submission.metadata.traceparent.clone_from(&self.claimed.cause.traceparent);
        match self.runner.engine.execute(submission).await {
            Ok(_) => Ended::Done,
            // A defect may be gone with the next program: an event that this one cannot read.
            Err(error @ (engine::Error::Overloaded | engine::Error::Unavailable | engine::Error::Defect)) => {
                self.later(error.to_string())
            }
            Err(error) => Ended::Attention(format!("{what} is refused: {error}")),
        }
    }

    /// Nobody knows what the gateway did: the log says so once, and it is asked again.
    async fn unknown(&self, known: &payment::Known, operation: Operation, reason: String) -> Ended {
        let Some(payment_id) = stream_of(&self.step).and_then(|stream| stream.key().parse().ok()) else {
            return Ended::Attention("the step is about no payment".to_owned());
        };
        if !known.unknown.contains(&operation) {
            let action = payment::Action::RecordUnknown { operation, reason: reason.clone() };
            let command = Command::Payment(payment::Command { payment_id, action });
            match self.command("unknown", command).await {
                Ended::Done => {}
                not_recorded => return not_recorded,
            }
        }
        self.later(format!("the outcome is unknown: {reason}"))
    }
}
