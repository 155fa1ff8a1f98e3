//! Who asks, and what that lets them ask for. Whose cart or order it is, the domain decides.

use domain::Actor;
use domain::ids::CustomerId;
use http_surface::Problem;
use http_surface::auth::{Caller, Role};

use super::Asked;
use crate::app::App;

/// As whom a command is given: recorded with its events, and what keeps the idempotency keys of different callers apart.
#[derive(Debug, Clone)]
pub(crate) struct By {
    /// Recorded.
    pub(crate) actor: Actor,
    /// Whose idempotency keys.
    pub(crate) keys_of: Actor,
}

impl By {
    /// Somebody with a token.
    pub(crate) fn caller(caller: &Caller) -> Self {
        let actor = caller.actor();
        Self { keys_of: actor.clone(), actor }
    }

    /// Somebody without one, who becomes that actor by this command. All of those share their keys, which must be secrets for
    /// that reason.
    pub(crate) fn nobody_yet(actor: Actor, asked: &Asked) -> Result<Self, Problem> {
        asked.key().must_be_secret()?;
        Ok(Self { actor, keys_of: Actor::system("anybody") })
    }

    /// Somebody with a token, who becomes another by this command.
    pub(crate) fn another(actor: Actor, caller: &Caller) -> Self {
        Self { actor, keys_of: caller.actor() }
    }
}

/// Lets whoever buys pass, and the staff on their behalf. Analysts and auditors buy nothing.
pub(crate) fn buyer(caller: &Caller) -> Result<Actor, Problem> {
    caller.require(&[Role::Customer, Role::Guest, Role::Staff])?;
    Ok(caller.actor())
}

/// The same for what leaves something behind that belongs to the buyer: a customer who was forgotten gets no new carts and orders,
/// though the token may still be valid for some minutes.
pub(crate) async fn present_buyer(app: &App, caller: &Caller) -> Result<Actor, Problem> {
    let actor = buyer(caller)?;
    if let Actor::Customer(customer_id) = &actor
        && !app.accounts.exists(customer_id.0).await?
    {
        return Err(Problem::unauthenticated("the account of this token is gone"));
    }
    Ok(actor)
}

/// Lets customers pass: nobody else has a profile.
pub(crate) fn customer(caller: &Caller) -> Result<CustomerId, Problem> {
    match caller.actor() {
        Actor::Customer(id) => Ok(id),
        _ => Err(Problem::forbidden("this is for customers only")),
    }
}

/// Lets the staff pass.
pub(crate) fn staff(caller: &Caller) -> Result<(), Problem> {
    caller.require(&[Role::Staff])
}
