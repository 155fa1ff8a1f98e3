//! Problem documents (RFC 9457). Which error where: rules of the business come as [`domain::Refusal`]; what the edge itself finds
//! wrong is made here. Every problem has a stable `code`, and `type` ends in it.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Kind, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// `https://jumun.dev/problems/` and the code.
    #[serde(rename = "type")]
    #[schema(example = "https://jumun.dev/problems/out-of-stock")]
    pub kind: String,
    /// The code in words.
    #[schema(example = "Out of stock")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// What is wrong here.
    pub detail: String,
    /// The stable name of the rule.
    #[schema(example = "out-of-stock")]
    pub code: String,
    /// What to name when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The fields that break a rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Detail>,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u32>,
    #[serde(skip)]
    #[schema(ignore)]
    challenge: Option<&'static str>,
}

/// One field that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Detail {
    /// The field, as a JSON Pointer (RFC 6901) into the body.
    #[schema(example = "/quantity")]
    pub pointer: String,
    /// The rule.
    pub detail: String,
}

impl Problem {
    /// A problem with that status and code.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("https://jumun.dev/problems/{code}"),
            title: title(code),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            trace_id: crate::correlation::current_trace_id(),
            errors: Vec::new(),
            retry_after: None,
            challenge: None,
        }
    }

    /// Names a field that breaks a rule.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(Detail { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Says after how many seconds to come again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// A field of the body that breaks a rule: 422.
    pub fn field(pointer: impl Into<String>, rule: impl Into<String>) -> Self {
        let rule = rule.into();
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-field", rule.clone()).at(pointer, rule)
    }

    /// No valid token: 401, with the challenge that RFC 6750 asks for.
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::unauthorised("unauthenticated", detail)
    }

    /// The same for what is shown in place of a token: a password, a refresh token, a signature.
    pub fn unauthorised(code: &str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, code, detail);
        problem.challenge = Some("Bearer");
        problem
    }

    /// Not for this role: 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// There is no such thing: 404.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no such {what}"))
    }

    /// A body of more bytes than are read: 413.
    pub fn body_too_large(bytes_max: usize) -> Self {
        let detail = format!("a body has at most {bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
    }

    /// A defect of ours: 500. What it was stays in the log.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong here; the operator knows",
        )
    }
}

fn title(code: &str) -> String {
    let mut words = code.replace('-', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let problem = Self::new(status, refusal.code, refusal.detail.clone());
        match refusal.field {
            Some(field) => problem.at(field, refusal.detail),
            None => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (status, [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))], body)
                .into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
