//! The gateway port, and its adapters. A gateway moves money; this crate only asks it to.
//!
//! Every call carries an id of ours as idempotency key, so that asking again is always safe. Only an answer that is
//! understood is an outcome: everything else is [`Outcome::Unknown`], and is asked for again, never guessed.

pub mod sandbox;
pub mod signature;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Money;
use domain::ids::{CaptureId, OrderId, PaymentId, RefundId};
use futures::future::BoxFuture;
use secrecy::SecretString;

/// What came of a call to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T> {
    /// It was done.
    Done(T),
    /// The gateway said no, for good.
    Refused {
        /// Why, in our terms: `declined`, `insufficient_funds`, …
        reason: String,
    },
    /// The gateway has it and will say later, by webhook or when asked again.
    Pending,
    /// Nobody knows (time-out, broken or senseless answer, 5xx): ask again with the same ids.
    Unknown {
        /// What was seen. Never holds a secret.
        reason: String,
    },
}

/// Ask to hold (or, with `capture`, take) money.
#[derive(Debug, Clone)]
pub struct Authorise {
    /// Our payment; the idempotency key.
    pub payment_id: PaymentId,
    /// What it pays for.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// The gateway's token for the means of payment.
    pub token: SecretString,
    /// Take the money at once.
    pub capture: bool,
}

/// Money is held (or taken).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// The gateway's own name for the payment.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// It is taken already, not only held: it was asked to be taken at once.
    pub captured: bool,
}

impl Authorisation {
    /// The capture that it implies, when the money was taken at once; its id follows from the payment's, so that whoever
    /// hears of it first (the caller, a webhook, a question) says the same.
    pub fn capture(&self, payment_id: PaymentId) -> Option<CaptureId> {
        self.captured.then_some(CaptureId(payment_id.0))
    }
}

/// Ask to take held money.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Of this payment.
    pub payment_id: PaymentId,
    /// The gateway's name for it.
    pub reference: String,
    /// The idempotency key.
    pub capture_id: CaptureId,
    /// How much.
    pub amount: Money,
}

/// Ask to let held money go.
#[derive(Debug, Clone)]
pub struct Void {
    /// Of this payment; the idempotency key.
    pub payment_id: PaymentId,
    /// The gateway's name for it.
    pub reference: String,
}

/// Ask to give taken money back.
#[derive(Debug, Clone)]
pub struct Refund {
    /// Of this payment.
    pub payment_id: PaymentId,
    /// The gateway's name for it.
    pub reference: String,
    /// The idempotency key.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
}

/// What a gateway tells by webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The gateway's id of this notice; the same one may come often.
    pub event_id: String,
    /// About which payment.
    pub payment_id: PaymentId,
    /// What it says.
    pub news: News,
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The money is held.
    Authorised(Authorisation),
    /// The gateway will not pay.
    Declined {
        /// Why, in our terms.
        reason: String,
    },
    /// Nothing that changes anything.
    Nothing,
}

/// Why a webhook was not believed. All of them are answered alike (401) and change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// No signature, or not of the form `t=…,v1=…`.
    #[error("the signature is missing or malformed")]
    Malformed,
    /// It is older or newer than the tolerance.
    #[error("the signature's time is too far from now")]
    OutOfTime,
    /// It does not fit the body.
    #[error("the signature does not fit")]
    Mismatch,
    /// It is signed, but what it says cannot be read.
    #[error("the signed body cannot be read")]
    Unreadable,
}

/// A payment gateway. Another one is one file that implements this and one line where the binary lists them.
pub trait Gateway: Send + Sync + std::fmt::Debug {
    /// The name that a checkout asks for.
    fn name(&self) -> &str;
    /// Holds (or takes) money.
    fn authorise<'a>(&'a self, request: &'a Authorise) -> BoxFuture<'a, Outcome<Authorisation>>;
    /// Takes held money.
    fn capture<'a>(&'a self, request: &'a Capture) -> BoxFuture<'a, Outcome<()>>;
    /// Lets held money go.
    fn void<'a>(&'a self, request: &'a Void) -> BoxFuture<'a, Outcome<()>>;
    /// Gives taken money back.
    fn refund<'a>(&'a self, request: &'a Refund) -> BoxFuture<'a, Outcome<()>>;
    /// What the gateway knows of the authorisation of a payment. A payment it does not know is `Unknown`: the call may
    /// still be under way.
    fn lookup<'a>(&'a self, payment_id: PaymentId) -> BoxFuture<'a, Outcome<Authorisation>>;
    /// Believes a webhook, or not. `header` reads a header of the request by its lower-case name; `now` is Unix seconds.
    fn verify_webhook(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now: i64,
    ) -> Result<Notice, Forged>;
}

/// The gateways of a shop, by name.
#[derive(Debug, Clone, Default)]
pub struct Gateways(BTreeMap<String, Arc<dyn Gateway>>);

impl Gateways {
    /// Adds one.
    #[must_use]
    pub fn with(mut self, gateway: impl Gateway + 'static) -> Self {
        self.0.insert(gateway.name().to_owned(), Arc::new(gateway));
        self
    }
    /// The one of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Gateway>> {
        self.0.get(name)
    }
    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
