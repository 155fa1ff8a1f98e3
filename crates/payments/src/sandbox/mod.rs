//! The sandbox gateway: the adapter (this file) and the gateway itself ([`server`]), an HTTP server that behaves as real ones
//! do on their bad days, chosen by the payment's token.

mod wire;

pub mod server;

use std::time::Duration;

use domain::ids::PaymentId;
use futures::future::BoxFuture;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use self::wire::{Accepted, NewPayment, Standing, WireNotice};
use crate::{
    Authorisation, Authorise, Capture, Forged, Gateway, News, Notice, Outcome, Refund, Void, signature,
};

/// The header with the signature of a webhook.
pub const SIGNATURE_HEADER: &str = "sandbox-signature";

/// No answer of a gateway is longer; what is, is not read on.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The adapter.
#[derive(Debug, Clone)]
pub struct Sandbox {
    http: reqwest::Client,
    url: String,
    webhook_secret: SecretString,
}

impl Sandbox {
    /// Talks to the sandbox at `url`. A call without an answer after `timeout` has an unknown outcome.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(
        url: impl Into<String>,
        webhook_secret: SecretString,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self { http, url: url.into(), webhook_secret })
    }

    async fn call<B: serde::Serialize>(
        &self,
        method: Method,
        path: String,
        key: Option<String>,
        body: Option<&B>,
    ) -> Called {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        match request.send().await {
            Ok(answer) => read(answer).await,
            Err(error) => Called::Unknown(describe(&error)),
        }
    }

    async fn act<B: serde::Serialize>(&self, path: String, key: String, body: &B) -> Outcome<()> {
        match self.call(Method::POST, path, Some(key), Some(body)).await {
            Called::Answered(status, _) if status.is_success() => Outcome::Done(()),
            Called::Answered(status, body) => refused(status, &body),
            Called::Unknown(reason) => Outcome::Unknown { reason },
        }
    }
}

/// What came back over the wire.
enum Called {
    Answered(StatusCode, Vec<u8>),
    Unknown(String),
}

async fn read(mut answer: reqwest::Response) -> Called {
    let (status, mut body) = (answer.status(), Vec::new());
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES_MAX => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Called::Unknown("the answer is too long".to_owned()),
            Ok(None) => return Called::Answered(status, body),
            Err(error) => return Called::Unknown(describe(&error)),
        }
    }
}

/// What went wrong, without the address (which may hold secrets at other gateways).
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "time-out"
    } else if error.is_connect() {
        "no connection"
    } else {
        "broken connection"
    }
    .to_owned()
}

/// Our key stands for another question at the gateway: that says nothing of what became of that one.
const KEY_MISMATCH: &str = "idempotency_mismatch";

/// Only a 402 or 409 with a reason that can be read is a no; anything else is unknown.
fn refused<T>(status: StatusCode, body: &[u8]) -> Outcome<T> {
    let reason = serde_json::from_slice::<wire::Refused>(body).ok().map(|refused| refused.reason);
    match (status, reason) {
        (_, Some(reason)) if reason == KEY_MISMATCH => Outcome::Unknown { reason },
        (StatusCode::PAYMENT_REQUIRED | StatusCode::CONFLICT, Some(reason)) => Outcome::Refused { reason },
        _ => Outcome::Unknown { reason: format!("status {}", status.as_u16()) },
    }
}

fn standing(called: Called) -> Outcome<Authorisation> {
    let (status, body) = match called {
        Called::Answered(status, body) => (status, body),
        Called::Unknown(reason) => return Outcome::Unknown { reason },
    };
    if !status.is_success() {
        return refused(status, &body);
    }
    match serde_json::from_slice::<Accepted>(&body) {
        Ok(Accepted { status: Standing::Authorised, reference, amount, captured, .. }) => {
            Outcome::Done(Authorisation { reference, amount, captured })
        }
        Ok(Accepted { status: Standing::Pending, .. }) => Outcome::Pending,
        Ok(Accepted { status: Standing::Declined, reason, .. }) => {
            Outcome::Refused { reason: reason.unwrap_or_else(|| "declined".to_owned()) }
        }
        Err(_) => Outcome::Unknown { reason: "an answer that cannot be read".to_owned() },
    }
}

impl Gateway for Sandbox {
    fn name(&self) -> &str {
        "sandbox"
    }

    fn authorise<'a>(&'a self, request: &'a Authorise) -> BoxFuture<'a, Outcome<Authorisation>> {
        let body = NewPayment {
            payment_id: request.payment_id,
            order_id: request.order_id,
            amount: request.amount,
            token: request.token.expose_secret().to_owned(),
            capture: request.capture,
        };
        Box::pin(async move {
            let key = format!("authorise-{}", request.payment_id);
            standing(self.call(Method::POST, "/v1/payments".to_owned(), Some(key), Some(&body)).await)
        })
    }

    fn capture<'a>(&'a self, request: &'a Capture) -> BoxFuture<'a, Outcome<()>> {
        let body = wire::Move { id: request.capture_id.0, amount: request.amount };
        let path = format!("/v1/payments/{}/captures", request.payment_id);
        Box::pin(async move { self.act(path, format!("capture-{}", request.capture_id), &body).await })
    }

    fn void<'a>(&'a self, request: &'a Void) -> BoxFuture<'a, Outcome<()>> {
        let path = format!("/v1/payments/{}/void", request.payment_id);
        let key = format!("void-{}", request.payment_id);
        Box::pin(async move { self.act(path, key, &serde_json::json!({})).await })
    }

    fn refund<'a>(&'a self, request: &'a Refund) -> BoxFuture<'a, Outcome<()>> {
        let body = wire::Move { id: request.refund_id.0, amount: request.amount };
        let path = format!("/v1/payments/{}/refunds", request.payment_id);
        Box::pin(async move { self.act(path, format!("refund-{}", request.refund_id), &body).await })
    }

    fn lookup<'a>(&'a self, payment_id: PaymentId) -> BoxFuture<'a, Outcome<Authorisation>> {
        Box::pin(async move {
            standing(self.call::<()>(Method::GET, format!("/v1/payments/{payment_id}"), None, None).await)
        })
    }

    fn verify_webhook(
        &self,
        header: &dyn Fn(&str) -> Option<String>,
        body: &[u8],
        now: i64,
    ) -> Result<Notice, Forged> {
        let signed = header(SIGNATURE_HEADER).ok_or(Forged::Malformed)?;
        signature::verify(self.webhook_secret.expose_secret().as_bytes(), &signed, body, now)?;
        let notice: WireNotice = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
        let news = match notice.status {
            Standing::Authorised => {
                let WireNotice { reference, amount, captured, .. } = notice;
                News::Authorised(Authorisation { reference, amount, captured })
            }
            Standing::Declined => {
                News::Declined { reason: notice.reason.unwrap_or_else(|| "declined".to_owned()) }
            }
            Standing::Pending => News::Nothing,
        };
        Ok(Notice { event_id: notice.id, payment_id: notice.payment_id, news })
    }
}
