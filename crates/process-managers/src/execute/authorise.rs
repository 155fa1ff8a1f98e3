//! Asking a gateway to hold money.

use domain::checkout::{self, Outcome as Settled};
use domain::ids::PaymentId;
use domain::payment::{self, Known, Operation, Standing};
use domain::{Command, Event};
use event_store::Recorded;
use payments::{Authorisation, Authorise, Gateway, Outcome};
use secrecy::SecretString;

use super::Task;
use crate::CaptureWhen;
use crate::steps::Ended;

/// Questions about a payment whose token is forgotten, before somebody must look.
const QUESTIONS_MAX: u32 = 20;

impl Task {
    /// The first time it is simply asked for. Any other time the gateway may have done it already: it is asked what it knows
    /// first, and only when it knows nothing, asked to do it again, under the same key.
    pub(super) async fn authorise(&self, payment_id: PaymentId) -> Ended {
        let known = match self.payment() {
            Ok(known) if known.standing == Standing::Requested => known,
            Ok(_) => return Ended::Done,
            Err(ended) => return ended,
        };
        if self.runner.gateways.get(&known.gateway).is_none() {
            return self.decline(payment_id, "unknown gateway").await;
        }
        let line = match self.line(&known.gateway) {
            Ok(line) => line,
            Err(ended) => return ended,
        };
        let token = match self.token().await {
            Ok(token) => token,
            Err(error) => return self.later(error.to_string()),
        };
        let again = self.claimed.attempts > 1;
        if again || token.is_none() {
            match line.gateway.lookup(payment_id).await {
                Outcome::Unknown { .. } => {}
                outcome => return self.settle(payment_id, &known, outcome).await,
            }
        }
        let Some(token) = token else { return self.forgotten(payment_id, &known).await };
        let outcome = self.ask(line.gateway, payment_id, &known, token).await;
        self.settle(payment_id, &known, outcome).await
    }

    /// Nothing can be asked for any more. Unless it was: then it may be paid, and it would be a guess to say that it is not.
    async fn forgotten(&self, payment_id: PaymentId, known: &Known) -> Ended {
        match self.claimed.attempts {
            1 if known.unknown.is_empty() => self.decline(payment_id, "forgotten").await,
            attempts if attempts < QUESTIONS_MAX => self.later("its token is forgotten"),
            _ => Ended::Attention("its token is forgotten, and the gateway does not know it".to_owned()),
        }
    }

    async fn ask(
        &self,
        gateway: &dyn Gateway,
        payment_id: PaymentId,
        known: &Known,
        token: SecretString,
    ) -> Outcome<Authorisation> {
        let capture = self.runner.options.capture == CaptureWhen::AtOnce;
        let (order_id, amount) = (known.order_id, known.amount);
        gateway.authorise(&Authorise { payment_id, order_id, amount, token, capture }).await
    }

    async fn settle(&self, payment_id: PaymentId, known: &Known, outcome: Outcome<Authorisation>) -> Ended {
        match outcome {
            Outcome::Done(authorisation) => {
                let capture = authorisation.capture(payment_id);
                let Authorisation { reference: gateway_reference, amount, .. } = authorisation;
                let outcome = Settled::Authorised { gateway_reference, amount };
                let command = checkout::Command::SettlePayment { payment_id, outcome, capture };
                self.command("authorised", Command::Checkout(command)).await
            }
            Outcome::Refused { reason } => self.decline(payment_id, &reason).await,
            // The gateway will say by webhook; until it does, it is asked.
            Outcome::Pending => self.later("the gateway has not decided yet"),
            Outcome::Unknown { reason } => self.unknown(known, Operation::Authorise, reason).await,
        }
    }

    async fn decline(&self, payment_id: PaymentId, reason: &str) -> Ended {
        let outcome = Settled::Declined { reason: reason.to_owned() };
        let command = checkout::Command::SettlePayment { payment_id, outcome, capture: None };
        self.command("declined", Command::Checkout(command)).await
    }

    /// The token, which no state holds. `None`: it is forgotten.
    async fn token(&self) -> Result<Option<SecretString>, event_store::Error> {
        let token = |events: &[Recorded]| events.iter().find_map(token_in);
        let Some(loaded) = &self.loaded else { return Ok(None) };
        match token(&loaded.events) {
            Some(token) => Ok(Some(token)),
            // Behind a snapshot the event itself was not loaded.
            None if loaded.snapshot.is_some() => {
                Ok(token(&self.runner.store.read_stream(&loaded.stream, 0).await?))
            }
            None => Ok(None),
        }
    }
}

fn token_in(recorded: &Recorded) -> Option<SecretString> {
    match &recorded.event {
        Event::Payment(payment::Event::Requested(requested)) => {
            requested.personal.known().map(|token| SecretString::from(token.clone()))
        }
        _ => None,
    }
}
