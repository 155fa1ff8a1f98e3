//! `ETag` is the version of a stream; a client that has that version already is told so (304) and sent nothing.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::header;

/// The header `If-None-Match`, for OpenAPI.
pub(crate) struct IfNoneMatch;

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description =
            "The `ETag` of an earlier answer: when nothing has changed since, the answer is 304 and empty.";
        header::optional("If-None-Match", description)
    }
}

/// Answers with a body and the version of its stream, or with 304 when the client has that version.
pub(crate) fn answer<T: Serialize>(headers: &HeaderMap, version: u32, body: &T) -> Response {
    let tag = http_surface::etag(version);
    if knows(headers, &tag) {
        (StatusCode::NOT_MODIFIED, validators(tag)).into_response()
    } else {
        fresh(version, body)
    }
}

/// Answers with a body and the version of its stream, whatever the client has: for what changes without its stream, as
/// when a person is forgotten.
pub(crate) fn fresh<T: Serialize>(version: u32, body: &T) -> Response {
    (validators(http_surface::etag(version)), Json(body)).into_response()
}

/// Whose it is depends on the token, so only the caller's own cache may keep it, and asks before it uses it.
fn validators(tag: String) -> [(axum::http::HeaderName, String); 3] {
    [(ETAG, tag), (CACHE_CONTROL, "private, no-cache".to_owned()), (VARY, "Authorization".to_owned())]
}

/// Whether `If-None-Match` names this tag (RFC 9110, 13.1.2: the weak comparison).
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let named = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    named
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (IF_NONE_MATCH, value.parse().unwrap())).collect()
    }

    #[test]
    fn only_the_same_version_is_known() {
        assert!(knows(&asked(&["\"v3\""]), "\"v3\""));
        assert!(knows(&asked(&["\"v1\", W/\"v3\""]), "\"v3\""));
        assert!(knows(&asked(&["\"v1\"", "\"v3\""]), "\"v3\""));
        assert!(knows(&asked(&["*"]), "\"v3\""));
        assert!(!knows(&asked(&["\"v33\""]), "\"v3\""));
        assert!(!knows(&asked(&["v3"]), "\"v3\""));
        assert!(!knows(&asked(&[]), "\"v3\""));
    }
}
