//! The shop as a client sees it: calls that are repeated until they are answered, also by a shop that was started again
//! meanwhile on other ports.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use http_surface::auth::Role;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::sync::RwLock;

use super::call::{Answer, Api, As, Call, Failure, Refusal};
use crate::running::Running;

/// How long a shop that does not answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// No call takes longer.
const CALL_MAX: Duration = Duration::from_secs(60);
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(3);

/// How the shop was named on the command line.
#[derive(Debug, Clone)]
pub(super) enum Way {
    DataDir(PathBuf),
    Addresses { command_url: String, query_url: String, token: String },
}

/// Where the shop is now, and the tokens for it.
#[derive(Clone)]
struct Access {
    command_url: String,
    query_url: String,
    staff: String,
    analyst: String,
}

/// The shop.
pub(super) struct Shop {
    http: reqwest::Client,
    way: Way,
    access: RwLock<Access>,
}

fn find(way: &Way) -> Result<Access> {
    match way {
        Way::DataDir(path) => {
            let running = Running::find(path)?;
            let (staff, analyst) = (running.token(Role::Staff)?, running.token(Role::Analyst)?);
            let (command_url, query_url) = (running.command_url, running.query_url);
            Ok(Access { command_url, query_url, staff, analyst })
        }
        Way::Addresses { command_url, query_url, token } => Ok(Access {
            command_url: command_url.trim_end_matches('/').to_owned(),
            query_url: query_url.trim_end_matches('/').to_owned(),
            staff: token.clone(),
            analyst: token.clone(),
        }),
    }
}

impl Shop {
    pub(super) fn open(way: Way) -> Result<Self> {
        let access = RwLock::new(find(&way)?);
        let http = reqwest::Client::builder().timeout(CALL_MAX).build().context("no HTTP client")?;
        Ok(Self { http, way, access })
    }

    /// Gives a call until it is answered, and reads the answer as JSON.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer, Failure> {
        let mut patience = Patience::new(call);
        loop {
            let answered = match self.answered(call, &mut patience).await {
                Ok(response) => read(response).await,
                Err(failure) => return Err(failure),
            };
            match answered {
                Ok(answer) => return Ok(answer),
                Err(error) => patience.pause(None, &error).await?,
            }
        }
    }

    /// Gives a call until it is answered; the answer is still to be read.
    pub(super) async fn open_stream(&self, call: &Call) -> Result<Response, Failure> {
        self.answered(call, &mut Patience::new(call)).await
    }

    async fn answered(&self, call: &Call, patience: &mut Patience) -> Result<Response, Failure> {
        let mut renewed = false;
        loop {
            let response = match self.attempt(call).await {
                Ok(response) => response,
                Err(error) => {
                    patience.pause(None, &anyhow::Error::new(error).context("no answer")).await?;
                    self.look_again().await;
                    continue;
                }
            };
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            if is_busy(status) {
                let after = retry_after(&response);
                patience.pause(after, &anyhow!("the shop answers with status {}", status.as_u16())).await?;
                continue;
            }
            if status == StatusCode::UNAUTHORIZED && !renewed && matches!(call.by, As::Staff | As::Analyst) {
                renewed = true;
                self.look_again().await;
                continue;
            }
            let refusal = refusal(response).await;
            if matches!(refusal.status, 401 | 403) && matches!(call.by, As::Staff | As::Analyst) {
                return Err(Failure::Broken(anyhow!("{} is not allowed ({refusal})", call.name())));
            }
            return Err(Failure::Refused(refusal));
        }
    }

    async fn attempt(&self, call: &Call) -> Result<Response, reqwest::Error> {
        let access = self.access.read().await.clone();
        let base = match call.api {
            Api::Command => &access.command_url,
            Api::Query => &access.query_url,
        };
        let mut request = self.http.request(call.method.clone(), format!("{base}{}", call.path));
        request = match &call.by {
            As::Nobody => request,
            As::Staff => request.bearer_auth(&access.staff),
            As::Analyst => request.bearer_auth(&access.analyst),
            As::Bearer(token) => request.bearer_auth(token),
        };
        if let Some(key) = call.key {
            request = request.header("Idempotency-Key", key.to_string());
        }
        if let Some(token) = &call.after {
            request = request.header("Consistency-Token", token);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        request.send().await
    }

    /// A shop that was started again may be elsewhere, and tokens end. While it is down nothing is found, and nothing changes.
    async fn look_again(&self) {
        if let Ok(access) = find(&self.way) {
            *self.access.write().await = access;
        }
    }
}

/// What will be otherwise in a moment: the shop is starting, busy, lagging behind, or has lost its database.
fn is_busy(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn refusal(response: Response) -> Refusal {
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap_or_default();
    Refusal::read(status, &serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn read(response: Response) -> Result<Answer> {
    let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let (token, replayed) = (header("consistency-token"), header("idempotency-replayed").is_some());
    let bytes = response.bytes().await.context("the answer broke off")?;
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
    Ok(Answer { body, token, replayed })
}

/// How much longer a call is repeated.
struct Patience {
    call: String,
    since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    fn new(call: &Call) -> Self {
        Self { call: call.name(), since: None, pause: PAUSE_MIN }
    }

    async fn pause(&mut self, at_least: Option<Duration>, error: &anyhow::Error) -> Result<(), Failure> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() > PATIENCE {
            let waited = PATIENCE.as_secs();
            let message = format!("{} was not answered for {waited} seconds: {error:#}", self.call);
            return Err(Failure::Broken(anyhow!(message)));
        }
        // What the server asks for is heeded up to a second: it is one client of many, but it holds an order open.
        let asked = at_least.unwrap_or_default().min(Duration::from_secs(1));
        tokio::time::sleep(self.pause.max(asked)).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}
