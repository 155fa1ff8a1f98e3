//! The sandbox gateway itself: an HTTP server with a ledger that survives `kill -9`.
//!
//! The payment's token says how it behaves: `approve`, `decline`, `slow`, `timeout_after_charge`, `webhook_late`,
//! `webhook_twice`, `webhook_reordered`; any other token is declined. `GET /v1/ledger` shows everything it did.

mod book;
mod journal;
mod webhooks;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::ids::PaymentId;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use self::book::{Book, Entry, Payment, Refusal};
use super::wire::{Move, NewPayment, Refused, Standing};

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    /// Before `slow` answers.
    pub slow: Duration,
    /// Before the first answer to `timeout_after_charge`: longer than any client waits.
    pub hold: Duration,
    /// Before `webhook_late` is decided.
    pub late: Duration,
    /// Before `webhook_twice` and `webhook_reordered` are decided.
    pub soon: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            slow: Duration::from_secs(3),
            hold: Duration::from_secs(15),
            late: Duration::from_secs(3),
            soon: Duration::from_millis(100),
        }
    }
}

/// How a sandbox gateway is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where webhooks go, for example `http://127.0.0.1:8080/v1/webhooks/sandbox`.
    pub webhook_url: String,
    /// Signs webhooks.
    pub webhook_secret: SecretString,
    /// How long things take.
    pub delays: Delays,
}

/// A running sandbox.
#[derive(Debug, Clone)]
struct Gateway {
    book: Arc<Mutex<Book>>,
    options: Arc<Options>,
    http: reqwest::Client,
    shutdown: CancellationToken,
}

/// Opens the ledger at `ledger` and takes up what was under way. Must be called within a tokio runtime.
///
/// # Errors
/// When the ledger cannot be read or no HTTP client can be made.
pub fn router(ledger: &Path, options: Options, shutdown: CancellationToken) -> std::io::Result<Router> {
    let book = Book::open(ledger)?;
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .no_proxy()
        .build()
        .map_err(std::io::Error::other)?;
    let gateway = Gateway { book: Arc::new(Mutex::new(book)), options: Arc::new(options), http, shutdown };
    gateway.resume();
    Ok(Router::new()
        .route("/v1/payments", post(pay))
        .route("/v1/payments/{id}", get(show))
        .route("/v1/payments/{id}/captures", post(capture))
        .route("/v1/payments/{id}/void", post(void))
        .route("/v1/payments/{id}/refunds", post(refund))
        .route("/v1/ledger", get(ledger_of))
        .route("/healthz", get(|| async { "ok" }))
        .with_state(gateway))
}

impl Gateway {
    /// Looks into the book, and waits until all that was seen there is on the disk.
    async fn with_book<T>(&self, act: impl FnOnce(&mut Book) -> T) -> std::io::Result<T> {
        let (result, seen) = {
            let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
            (act(&mut book), book.end())
        };
        seen.flushed().await?;
        Ok(result)
    }

    fn resume(&self) {
        let (pending, untold) = {
            let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
            let pending: Vec<_> = book
                .payments
                .values()
                .filter(|payment| payment.standing == Standing::Pending)
                .cloned()
                .collect();
            (pending, book.untold())
        };
        pending.into_iter().for_each(|payment| self.decide_later(payment));
        untold.into_iter().for_each(|(notice, times)| self.tell(notice, times));
    }

    /// Takes a new payment; the same one again is answered with what became of it.
    async fn accept(&self, asked: &NewPayment) -> std::io::Result<Result<(Payment, bool), Refusal>> {
        let now = chrono::Utc::now().timestamp_millis();
        let delays = self.options.delays;
        let wait = match asked.token.as_str() {
            "webhook_late" => Some(delays.late),
            "webhook_twice" | "webhook_reordered" => Some(delays.soon),
            _ => None,
        };
        self.with_book(|book| {
            if let Some(known) = book.payments.get(&asked.payment_id) {
                return Ok(if known.asked == *asked {
                    Ok((known.clone(), false))
                } else {
                    Err("idempotency_mismatch")
                });
            }
            if asked.amount.amount <= 0 {
                return Ok(Err("amount_too_low"));
            }
            let reference = format!("sbx_{}", uuid::Uuid::now_v7().simple());
            let decide_at = now.saturating_add(wait.map_or(0, |wait| wait.as_millis() as i64));
            let NewPayment { payment_id, order_id, amount, token, capture } = asked.clone();
            let mut entries = vec![Entry::Accepted {
                payment_id,
                order_id,
                amount,
                token,
                capture,
                reference: reference.clone(),
                decide_at,
            }];
            if wait.is_none() {
                entries.extend(Book::decision(asked, &reference, refusal_of(&asked.token)));
            }
            book.write(entries)?;
            Ok(book
                .payments
                .get(&payment_id)
                .cloned()
                .map(|payment| (payment, true))
                .ok_or("unknown_payment"))
        })
        .await?
    }

    /// Takes a payment and sees to it that it is decided, in a task of its own: a caller who goes away when it is in the book
    /// already must not keep it from being decided.
    async fn take(&self, asked: NewPayment) -> std::io::Result<Result<(Payment, bool), Refusal>> {
        let gateway = self.clone();
        let taking = tokio::spawn(async move {
            let accepted = gateway.accept(&asked).await;
            if let Ok(Ok((payment, true))) = &accepted
                && payment.standing == Standing::Pending
            {
                gateway.decide_later(payment.clone());
            }
            accepted
        });
        taking.await.map_err(std::io::Error::other).flatten()
    }
}

/// Why a token is declined, if it is.
fn refusal_of(token: &str) -> Option<&'static str> {
    match token {
        "approve"
        | "slow"
        | "timeout_after_charge"
        | "webhook_late"
        | "webhook_twice"
        | "webhook_reordered" => None,
        "decline" => Some("declined"),
        _ => Some("unknown_token"),
    }
}

async fn pay(State(gateway): State<Gateway>, Json(asked): Json<NewPayment>) -> Response {
    let (payment, new) = match gateway.take(asked).await {
        Ok(Ok(accepted)) => accepted,
        Ok(Err(reason)) => return no(reason),
        Err(error) => return broken(&error),
    };
    match (payment.asked.token.as_str(), new) {
        ("slow", _) => tokio::time::sleep(gateway.options.delays.slow).await,
        ("timeout_after_charge", true) => tokio::time::sleep(gateway.options.delays.hold).await,
        _ => {}
    }
    let status = if payment.standing == Standing::Pending { StatusCode::ACCEPTED } else { StatusCode::OK };
    (status, Json(payment.accepted())).into_response()
}

async fn show(State(gateway): State<Gateway>, UrlPath(id): UrlPath<PaymentId>) -> Response {
    match gateway.with_book(|book| book.payments.get(&id).map(Payment::accepted)).await {
        Ok(Some(accepted)) => Json(accepted).into_response(),
        Err(error) => broken(&error),
        Ok(None) => {
            (StatusCode::NOT_FOUND, Json(Refused { reason: "unknown_payment".to_owned() })).into_response()
        }
    }
}

async fn capture(
    State(gateway): State<Gateway>,
    UrlPath(id): UrlPath<PaymentId>,
    Json(asked): Json<Move>,
) -> Response {
    gateway.enter(|book| book.capture(id, &asked)).await
}

async fn void(State(gateway): State<Gateway>, UrlPath(id): UrlPath<PaymentId>) -> Response {
    gateway.enter(|book| book.void(id)).await
}

async fn refund(
    State(gateway): State<Gateway>,
    UrlPath(id): UrlPath<PaymentId>,
    Json(asked): Json<Move>,
) -> Response {
    gateway.enter(|book| book.refund(id, &asked)).await
}

async fn ledger_of(State(gateway): State<Gateway>) -> Response {
    match gateway.with_book(|book| book.entries.clone()).await {
        Ok(entries) => Json(serde_json::json!({ "entries": entries })).into_response(),
        Err(error) => broken(&error),
    }
}

impl Gateway {
    async fn enter(&self, decide: impl FnOnce(&Book) -> Result<Option<Entry>, Refusal>) -> Response {
        let written = self.with_book(|book| match decide(book) {
            Ok(Some(entry)) => book.write(vec![entry]).map(|()| None),
            Ok(None) => Ok(None),
            Err(reason) => Ok(Some(reason)),
        });
        match written.await.flatten() {
            Ok(None) => Json(serde_json::json!({"status": "done"})).into_response(),
            Ok(Some(reason)) => no(reason),
            Err(error) => broken(&error),
        }
    }
}

fn no(reason: Refusal) -> Response {
    (StatusCode::CONFLICT, Json(Refused { reason: reason.to_owned() })).into_response()
}

fn broken(error: &std::io::Error) -> Response {
    tracing::error!(%error, "the sandbox cannot answer");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
