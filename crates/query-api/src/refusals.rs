//! The problem documents that calls answer with, for OpenAPI: named once, used by every call.

#![allow(dead_code, reason = "they are only read by OpenAPI")]

use http_surface::Problem;
use utoipa::IntoResponses;

/// Of every query.
#[derive(IntoResponses)]
pub(crate) enum Refusals {
    /// A parameter, the cursor or the `Consistency-Token` is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// The `Consistency-Token` belongs to another history of the log.
    #[response(status = 409, content_type = "application/problem+json")]
    OtherEpoch(#[to_schema] Problem),
    /// The answer is not there yet, or not just now: ask again after `Retry-After` seconds.
    #[response(status = 503, content_type = "application/problem+json")]
    AskAgain(#[to_schema] Problem),
}

/// Of queries about one thing.
#[derive(IntoResponses)]
pub(crate) enum Missing {
    /// There is no such thing, or it is not the caller's.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] Problem),
}

/// Of queries that need a token.
#[derive(IntoResponses)]
pub(crate) enum Unauthenticated {
    /// No token, or one that is forged, expired or meant for something else.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(#[to_schema] Problem),
}

/// Of queries for some roles only.
#[derive(IntoResponses)]
pub(crate) enum Unauthorised {
    /// The token's role may not ask this.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
}
