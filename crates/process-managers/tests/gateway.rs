//! The sandbox gateway over HTTP, and somebody who takes its webhooks.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use command_api::engine::{Engine, Submission};
use domain::checkout::{self, Outcome};
use domain::ids::PaymentId;
use domain::{Command, StreamId};
use payments::sandbox::Sandbox;
use payments::sandbox::server::{self, Delays, Options};
use payments::{Gateway as _, Gateways, News};
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_millis(400);

/// A running sandbox. Its ledger is the truth about money.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    folder: PathBuf,
    delays: Delays,
    /// A call without an answer after that is of unknown outcome.
    pub(crate) timeout: Duration,
    webhook_url: String,
    running: CancellationToken,
}

fn secret() -> SecretString {
    SecretString::from("a secret of these tests".to_owned())
}

pub(crate) fn delays() -> Delays {
    Delays {
        slow: Duration::from_millis(200),
        hold: Duration::from_secs(30),
        late: Duration::from_millis(300),
        soon: Duration::from_millis(20),
    }
}

impl Gateway {
    /// Webhooks go to `webhook_url`.
    pub(crate) async fn start(webhook_url: &str, delays: Delays) -> Self {
        let folder = std::env::temp_dir().join(format!("jumun-sandbox-{}", Uuid::now_v7().simple()));
        std::fs::create_dir(&folder).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let webhook_url = webhook_url.to_owned();
        let mut gateway = Self {
            address,
            folder,
            delays,
            timeout: TIMEOUT,
            webhook_url,
            running: CancellationToken::new(),
        };
        gateway.restart().await;
        gateway
    }

    /// Starts it again, at the same address, with what its ledger says.
    pub(crate) async fn restart(&mut self) {
        self.running = CancellationToken::new();
        let options =
            Options { webhook_url: self.webhook_url.clone(), webhook_secret: secret(), delays: self.delays };
        let router = server::router(&self.folder.join("ledger"), options, self.running.clone()).unwrap();
        let listener = TcpListener::bind(self.address).await.unwrap();
        let running = self.running.clone();
        tokio::spawn(async move {
            tokio::select! {
                served = axum::serve(listener, router) => served.unwrap(),
                () = running.cancelled() => {}
            }
        });
    }

    /// Ends it at once.
    pub(crate) fn stop(&self) {
        self.running.cancel();
    }

    /// The adapter that talks to it.
    pub(crate) fn gateways(&self) -> Gateways {
        let url = format!("http://{}", self.address);
        Gateways::default().with(Sandbox::new(url, secret(), self.timeout).unwrap())
    }

    /// How often it did that to a payment.
    pub(crate) async fn count(&self, payment_id: PaymentId, kind: &str) -> usize {
        let id = payment_id.to_string();
        self.ledger().await.iter().filter(|entry| entry["payment_id"] == id && entry["kind"] == kind).count()
    }

    /// Waits until it did that to a payment.
    pub(crate) async fn until(&self, payment_id: PaymentId, kind: &str) {
        let begun = Instant::now();
        while self.count(payment_id, kind).await == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{payment_id} is never {kind}");
        }
    }

    /// What it did to payments, without the webhooks.
    pub(crate) async fn ledger(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("http://{}/v1/ledger", self.address)).await.unwrap();
        let ledger: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let entries = ledger["entries"].as_array().unwrap().iter();
        entries.filter(|entry| entry["kind"] != "announced" && entry["kind"] != "told").cloned().collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.running.cancel();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where nobody listens: webhooks never arrive.
pub(crate) fn nowhere() -> String {
    format!("http://127.0.0.1:{}/", free_port())
}

/// Takes webhooks and gives them to an engine, as the command API does. Its address.
pub(crate) async fn receiver(engine: Engine) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let believer = Arc::new(Sandbox::new("http://unused", secret(), TIMEOUT).unwrap());
    let take =
        move |headers: HeaderMap, body: Bytes| take(Arc::clone(&believer), engine.clone(), headers, body);
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(take))).await.unwrap() });
    url
}

async fn take(believer: Arc<Sandbox>, engine: Engine, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let now = chrono::Utc::now().timestamp();
    let Ok(notice) = believer.verify_webhook(&header, &body, now) else { return StatusCode::UNAUTHORIZED };
    let payment_id = notice.payment_id;
    let (outcome, capture) = match notice.news {
        News::Authorised(held) => {
            let capture = held.capture(payment_id);
            (Outcome::Authorised { gateway_reference: held.reference, amount: held.amount }, capture)
        }
        News::Declined { reason } => (Outcome::Declined { reason }, None),
        News::Nothing => return StatusCode::NO_CONTENT,
    };
    let command = Command::Checkout(checkout::Command::SettlePayment { payment_id, outcome, capture });
    let name = format!("{}/{}", StreamId::payment(payment_id), notice.event_id);
    match engine.execute(Submission::internal(command, &name, "webhooks", None)).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
