//! `ETag`, `If-Match` (RFC 9110) and `Prefer` (RFC 7240).

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use crate::Problem;

/// No caller waits longer.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The strong tag of a stream's version.
pub fn etag(version: u32) -> String {
    format!("\"v{version}\"")
}

/// The version that `If-Match` asks for; `None`: any.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<u32>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text
            .strip_prefix("\"v")
            .and_then(|text| text.strip_suffix('"'))
            .and_then(|text| text.parse().ok());
        let malformed = || {
            Problem::new(StatusCode::BAD_REQUEST, "invalid-header", "If-Match must be one ETag, like \"v3\"")
        };
        version.map(|version| Self(Some(version))).ok_or_else(malformed)
    }
}

/// How long the caller prefers to wait (`Prefer: wait=N`, at most 30 s). What cannot be read is ignored, as the RFC asks.
#[derive(Debug, Clone, Copy)]
pub struct Prefer {
    /// How long.
    pub wait: Option<Duration>,
}

impl<S: Send + Sync> FromRequestParts<S> for Prefer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let values = parts.headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        let seconds = values.flat_map(|value| value.split([',', ';'])).find_map(|preference| {
            let (name, value) = preference.split_once('=')?;
            if name.trim().eq_ignore_ascii_case("wait") {
                value.trim().trim_matches('"').parse::<u64>().ok()
            } else {
                None
            }
        });
        Ok(Self { wait: seconds.map(|seconds| Duration::from_secs(seconds).min(WAIT_MAX)) })
    }
}
