//! A sandbox and its adapter.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use domain::ids::{CaptureId, OrderId, PaymentId, RefundId};
use domain::{Currency, Money};
use payments::sandbox::Sandbox;
use payments::sandbox::server::{self, Delays, Options};
use payments::{Authorisation, Authorise, Capture, Gateway, Outcome, Refund, Void};
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) fn secret() -> SecretString {
    SecretString::from("a secret of these tests".to_owned())
}

pub(crate) fn won(amount: i64) -> Money {
    Money::new(amount, Currency::KRW)
}

pub(crate) fn authorise(token: &str) -> Authorise {
    Authorise {
        payment_id: PaymentId(Uuid::now_v7()),
        order_id: OrderId(Uuid::now_v7()),
        amount: won(1_000),
        token: SecretString::from(token.to_owned()),
        capture: false,
    }
}

/// An adapter with that patience.
pub(crate) fn adapter(address: SocketAddr, timeout: Duration) -> Sandbox {
    Sandbox::new(format!("http://{address}"), secret(), timeout).unwrap()
}

/// A running sandbox.
pub(crate) struct Running {
    pub(crate) adapter: Sandbox,
    pub(crate) address: SocketAddr,
    pub(crate) folder: PathBuf,
    /// What is served.
    pub(crate) router: Router,
    webhook_url: String,
    running: CancellationToken,
}

impl Running {
    pub(crate) async fn start(webhook_url: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("jumun-sandbox-{}", Uuid::now_v7().simple()));
        std::fs::create_dir(&folder).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let adapter = adapter(address, Duration::from_secs(20));
        let (webhook_url, running) = (webhook_url.to_owned(), CancellationToken::new());
        let mut sandbox = Self { adapter, address, folder, router: Router::new(), webhook_url, running };
        sandbox.restart().await;
        sandbox
    }

    /// Ends it as it is, and starts it again with what its ledger says.
    pub(crate) async fn restart(&mut self) {
        self.running.cancel();
        self.running = CancellationToken::new();
        let delays = Delays {
            slow: Duration::from_millis(300),
            hold: Duration::from_secs(3_600),
            late: Duration::from_millis(300),
            soon: Duration::from_millis(20),
        };
        let options = Options { webhook_url: self.webhook_url.clone(), webhook_secret: secret(), delays };
        let router = server::router(&self.folder.join("ledger"), options, self.running.clone()).unwrap();
        self.router = router.clone();
        let listener = loop {
            // The one before may not have let go of the address yet.
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let running = self.running.clone();
        tokio::spawn(async move {
            tokio::select! {
                served = axum::serve(listener, router) => served.unwrap(),
                () = running.cancelled() => {}
            }
        });
    }

    pub(crate) fn stop(&self) {
        self.running.cancel();
    }

    pub(crate) async fn ledger(&self) -> Vec<Value> {
        let answer = reqwest::get(format!("http://{}/v1/ledger", self.address)).await.unwrap();
        let ledger: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        ledger["entries"].as_array().unwrap().clone()
    }

    /// Waits until it has taken a payment.
    pub(crate) async fn accepted(&self, payment_id: PaymentId) {
        let begun = Instant::now();
        while self.kinds(payment_id).await.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it is never accepted");
        }
    }

    /// The kinds of what it did to a payment, in order, without its webhooks.
    pub(crate) async fn kinds(&self, payment_id: PaymentId) -> Vec<String> {
        let id = payment_id.to_string();
        let of_it = self.ledger().await.into_iter().filter(|entry| entry["payment_id"] == id);
        let kinds = of_it.map(|entry| entry["kind"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind != "announced" && kind != "told").collect()
    }

    /// Held money.
    pub(crate) async fn held(&self) -> (Authorise, String) {
        let asked = authorise("approve");
        let reference = done(self.adapter.authorise(&asked).await).reference;
        (asked, reference)
    }

    pub(crate) async fn capture(
        &self,
        of: &(Authorise, String),
        id: CaptureId,
        amount: Money,
    ) -> Outcome<()> {
        let (payment_id, reference) = (of.0.payment_id, of.1.clone());
        self.adapter.capture(&Capture { payment_id, reference, capture_id: id, amount }).await
    }

    pub(crate) async fn refund(&self, of: &(Authorise, String), id: RefundId, amount: Money) -> Outcome<()> {
        let (payment_id, reference) = (of.0.payment_id, of.1.clone());
        self.adapter.refund(&Refund { payment_id, reference, refund_id: id, amount }).await
    }

    pub(crate) async fn void(&self, of: &(Authorise, String)) -> Outcome<()> {
        let (payment_id, reference) = (of.0.payment_id, of.1.clone());
        self.adapter.void(&Void { payment_id, reference }).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.running.cancel();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[track_caller]
pub(crate) fn done(outcome: Outcome<Authorisation>) -> Authorisation {
    match outcome {
        Outcome::Done(authorisation) => authorisation,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Outcome<T>) -> String {
    match outcome {
        Outcome::Refused { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn unknown<T: std::fmt::Debug>(outcome: Outcome<T>) -> String {
    match outcome {
        Outcome::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where nobody listens.
pub(crate) fn nowhere() -> String {
    format!("http://127.0.0.1:{}/", free_port())
}

/// A webhook as it came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
}

/// Takes webhooks; turns away the first few.
pub(crate) struct Receiver {
    pub(crate) url: String,
    came: watch::Receiver<Vec<Came>>,
}

impl Receiver {
    pub(crate) async fn start(turned_away: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (sender, came) = watch::channel(Vec::new());
        let left = Arc::new(Mutex::new(turned_away));
        let take = move |headers: HeaderMap, body: Bytes| async move {
            let mut left = left.lock().unwrap();
            if *left > 0 {
                *left -= 1;
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            let signature = headers["sandbox-signature"].to_str().unwrap().to_owned();
            sender.send_modify(|came| came.push(Came { signature, body: body.to_vec() }));
            StatusCode::NO_CONTENT
        };
        tokio::spawn(
            async move { axum::serve(listener, Router::new().route("/", post(take))).await.unwrap() },
        );
        Self { url, came }
    }

    /// Waits for that many.
    pub(crate) async fn came(&mut self, count: usize) -> Vec<Came> {
        let enough = self.came.wait_for(|came| came.len() >= count);
        tokio::time::timeout(Duration::from_secs(30), enough).await.unwrap().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.came.borrow().len()
    }
}

/// Asks until it is decided.
pub(crate) async fn decided(adapter: &Sandbox, payment_id: PaymentId) -> Outcome<Authorisation> {
    let begun = Instant::now();
    loop {
        match adapter.lookup(payment_id).await {
            Outcome::Pending => assert!(begun.elapsed() < Duration::from_secs(30), "it is never decided"),
            outcome => return outcome,
        }
    }
}
