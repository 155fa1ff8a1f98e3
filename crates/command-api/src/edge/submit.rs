//! From a parsed request to the engine and back: the one way that every command takes.

use axum::extract::FromRequestParts;
use axum::http::header::{CACHE_CONTROL, ETAG, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::Command;
use event_store::Metadata;
use http_surface::{
    CONSISTENCY_TOKEN, ConsistencyToken, Correlation, IdempotencyKey, IfMatch, Problem, etag,
};
use serde_json::Value;

use super::By;
use crate::app::App;
use crate::engine::{Error, Receipt, Submission};

/// Says that the answer is that of the first time.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What comes with every command besides its body.
#[derive(Debug)]
pub(crate) struct Asked {
    key: IdempotencyKey,
    if_match: IfMatch,
    correlation: Correlation,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = IdempotencyKey::from_request_parts(parts, state).await?;
        let if_match = IfMatch::from_request_parts(parts, state).await?;
        let Ok(correlation) = Correlation::from_request_parts(parts, state).await;
        Ok(Self { key, if_match, correlation })
    }
}

impl Asked {
    pub(super) fn key(&self) -> &IdempotencyKey {
        &self.key
    }

    /// The same for what is new: it has no version yet that `If-Match` could ask for.
    pub(crate) fn anew(self) -> Self {
        Self { if_match: IfMatch(None), ..self }
    }
}

/// Gives a command to the engine. `body` is what the idempotency key stands for, and `answer` what is kept to be answered again:
/// it must hold no secret.
pub(crate) async fn submit(
    app: &App,
    asked: &Asked,
    by: By,
    body: &[u8],
    command: Command,
    answer: Value,
) -> Result<Receipt, Error> {
    let metadata = Metadata {
        correlation_id: asked.correlation.id,
        causation_id: None,
        actor: by.actor,
        traceparent: Some(asked.correlation.traceparent.clone()),
    };
    let submission = Submission {
        key: asked.key.command_key(&by.keys_of),
        fingerprint: asked.key.keyed_fingerprint(&app.keys, body),
        metadata,
        command,
        answer,
        if_match: asked.if_match.0,
    };
    app.engine.execute(submission).await
}

/// An answer with all that belongs to the receipt.
pub(crate) fn answered(status: StatusCode, receipt: &Receipt, body: Option<&Value>) -> Response {
    let mut response = match body {
        None => status.into_response(),
        Some(body) => (status, axum::Json(body)).into_response(),
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(CONSISTENCY_TOKEN, &ConsistencyToken::encode(receipt.head));
    set(CACHE_CONTROL, "no-store");
    if let Some(version) = receipt.version {
        set(ETAG, &etag(version));
    }
    if receipt.replayed {
        set(REPLAYED, "true");
    }
    response
}

/// It was done, and there is nothing more to say: 204.
pub(crate) fn done(receipt: &Receipt) -> Response {
    answered(StatusCode::NO_CONTENT, receipt, None)
}

/// Something was created: 201. `location` says where it can be asked for, given its id; `id` is the field of the answer that
/// holds that.
pub(crate) fn created(receipt: &Receipt, id: &str, location: impl FnOnce(&str) -> String) -> Response {
    let mut response = answered(StatusCode::CREATED, receipt, Some(&receipt.answer));
    locate(&mut response, &receipt.answer, id, location);
    response
}

/// Says where what was created can be asked for.
fn locate(response: &mut Response, answer: &Value, id: &str, location: impl FnOnce(&str) -> String) {
    let path = answer.get(id).and_then(Value::as_str).map(location);
    if let Some(value) = path.and_then(|path| HeaderValue::from_str(&path).ok()) {
        response.headers_mut().insert(LOCATION, value);
    }
}
