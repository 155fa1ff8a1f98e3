//! A server that stands in front of the real node and spoils what passes, as a test says.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::node;

/// What is done to the next bulk calls, one each.
#[derive(Debug, Clone)]
pub(crate) enum Spoil {
    /// The items of these numbers never reach the node, and are answered with this status.
    Items(Vec<usize>, u16),
    /// The whole call is answered with this status.
    Call(u16),
    /// It reaches the node, and the connection is cut before its answer comes back.
    CutAfter,
}

/// The server.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    plan: Arc<Mutex<Vec<Spoil>>>,
    client: reqwest::Client,
}

impl Proxy {
    /// It stands there, and lets everything pass.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let proxy = Self { url, plan: Arc::default(), client };
        let router = Router::new().fallback(pass).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        proxy
    }

    /// The next bulk calls are spoilt like this.
    pub(crate) fn plan(&self, plan: impl IntoIterator<Item = Spoil>) {
        self.plan.lock().unwrap().extend(plan);
    }

    /// How much of the plan is left.
    pub(crate) fn left(&self) -> usize {
        self.plan.lock().unwrap().len()
    }

    fn next(&self) -> Option<Spoil> {
        let mut plan = self.plan.lock().unwrap();
        (!plan.is_empty()).then(|| plan.remove(0))
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: Bytes) -> (StatusCode, Bytes) {
        let kind = if path.contains("_bulk") || path.contains("_msearch") { "x-ndjson" } else { "json" };
        let request = self.client.request(method, format!("{}{path}", node::url()));
        let request = if body.is_empty() {
            request
        } else {
            request.header("content-type", format!("application/{kind}")).body(body)
        };
        let answer = request.send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap())
    }
}

async fn pass(State(proxy): State<Proxy>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().unwrap().as_str().to_owned();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let spoil = if path == "/_bulk" { proxy.next() } else { None };
    let (status, answer) = match spoil {
        None => proxy.send(head.method, &path, body).await,
        Some(Spoil::Call(status)) => (StatusCode::from_u16(status).unwrap(), Bytes::from_static(b"{}")),
        Some(Spoil::CutAfter) => {
            proxy.send(head.method, &path, body).await;
            let cut = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
            return Response::new(Body::from_stream(cut));
        }
        Some(Spoil::Items(numbers, status)) => spoilt(&proxy, &path, &body, &numbers, status).await,
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(answer))
        .unwrap()
}

/// Sends all items but these, and puts answers for these between the others.
async fn spoilt(
    proxy: &Proxy,
    path: &str,
    body: &Bytes,
    numbers: &[usize],
    status: u16,
) -> (StatusCode, Bytes) {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (mut sent, mut spoilt) = (String::new(), Vec::new());
    for (number, pair) in lines.chunks(2).enumerate() {
        spoilt.push(numbers.contains(&number));
        if !numbers.contains(&number) {
            pair.iter().for_each(|line| sent.extend([line, "\n"]));
        }
    }
    let mut answered = Vec::new();
    if !sent.is_empty() {
        let (_, answer) = proxy.send(reqwest::Method::POST, path, sent.into()).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        answered = answer["items"].as_array().unwrap().clone();
    }
    answered.reverse();
    let busy = json!({"index": {"status": status, "error": {"type": "rejected", "reason": "queue is full"}}});
    let items: Vec<Value> = spoilt
        .into_iter()
        .map(|spoilt| if spoilt { busy.clone() } else { answered.pop().unwrap() })
        .collect();
    let answer = json!({"took": 1, "errors": true, "items": items});
    (StatusCode::OK, serde_json::to_vec(&answer).unwrap().into())
}
