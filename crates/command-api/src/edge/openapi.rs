//! What OpenAPI says of all calls: the headers that come with a command, those of its answer, and its problem documents.

#![allow(dead_code, reason = "the enums are only read by OpenAPI")]

use http_surface::Problem;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{HeaderBuilder, ObjectBuilder, RefOr, Required, Type};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// What is said of the whole API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Jumun command API",
        description = "Everything that can be asked for. A command is done whole or not at all, and is answered after it is in the log. \
                       Sent again with the same `Idempotency-Key` it is answered as the first time, with `Idempotency-Replayed: true`; \
                       with another body it is refused. Callers without a token are told apart by nothing else: their keys must be \
                       random UUIDs (version 4 or 7), kept secret. The `Consistency-Token` of an answer lets a query see what the command did. Errors are RFC 9457 problem \
                       documents with a stable `code`. Whatever looks like a card number is refused (422 `card-number`).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "customers", description = "Accounts, and forgetting them."),
        (name = "sessions", description = "Signing in and out. An access token lives 15 minutes, also when its session is ended before; a \
                                           refresh token 30 days, and is used once; a session ends 90 days after it \
                                           began. These calls take no idempotency key: a sign-in sent again is another session."),
        (name = "carts", description = "Carts, of customers and of guests."),
        (name = "orders", description = "Placing orders, calling them off, giving back."),
        (name = "fulfilment", description = "Sending, delivering, taking back, refunding. For the staff."),
        (name = "catalogue", description = "Products. For the staff."),
        (name = "stock", description = "Stock. For the staff."),
        (name = "webhooks", description = "What payment gateways tell."),
    ),
    modifiers(&Bearer),
)]
struct Described;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// A router whose document says what is said of the whole API.
pub(crate) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Described::openapi())
}

/// The headers that come with a command.
pub(crate) struct Asking;

impl IntoParams for Asking {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            key(),
            header(
                "If-Match",
                "The `ETag` that the thing must have; the call is refused (412) when it has another.",
            ),
        ]
    }
}

/// The same of a call whose thing is new, whatever stands in `If-Match`.
pub(crate) struct AskingAnew;

impl IntoParams for AskingAnew {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let ignored = "Ignored: what is new has no version that it could have.";
        vec![key(), header("If-Match", ignored)]
    }
}

fn key() -> Parameter {
    let description = "1 to 255 visible ASCII characters; of a caller without a token a random UUID (version 4 or 7), kept secret. \
                       Sent again with it, the call is answered as the first time.";
    header(IDEMPOTENCY_KEY, description)
}

/// The header of a call that can wait.
pub(crate) struct Preferring;

impl IntoParams for Preferring {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "`wait=N`: answer when the payment is settled, or after N seconds (at most 30).";
        vec![header("Prefer", description)]
    }
}

/// An optional header of a request.
fn header(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// Says of every command which headers its answer has: they are the same for all.
pub(crate) fn describe_answers(document: &mut utoipa::openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().filter(|operation| is_command(operation)).for_each(describe_answer);
    }
}

fn is_command(operation: &Operation) -> bool {
    operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == IDEMPOTENCY_KEY))
}

fn describe_answer(operation: &mut Operation) {
    let headers = [
        ("Consistency-Token", "Send it with a query to see what this did."),
        ("ETag", "The version of the thing after it; not when the answer is that of an earlier call."),
        ("Idempotency-Replayed", "`true`: it was done before, and this is the first answer."),
    ];
    let responses = operation.responses.responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    for (_, response) in responses {
        let RefOr::T(response) = response else { continue };
        for (name, description) in headers {
            let schema = ObjectBuilder::new().schema_type(Type::String);
            let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
            response.headers.insert(name.to_owned(), RefOr::T(header));
        }
    }
}

/// Of every call with a body.
#[derive(IntoResponses)]
pub(crate) enum Malformed {
    /// The body is no JSON, or a header is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Broken(Problem),
    /// The body takes longer than 10 seconds to arrive.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(Problem),
    /// The body is larger than a mebibyte.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(Problem),
    /// A field breaks a rule, or the idempotency key was used for another request; `errors` names the fields.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
}

/// Of every call.
#[derive(IntoResponses)]
pub(crate) enum NotWell {
    /// Too many calls wait, or the database is away: ask again after `Retry-After` seconds, with the same idempotency key.
    #[response(status = 503, content_type = "application/problem+json")]
    AskAgain(Problem),
}

/// Of commands.
#[derive(IntoResponses)]
pub(crate) enum Conflicts {
    /// It cannot be done as things are now; `code` says why.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The thing has another version than `If-Match` says.
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(Problem),
}

/// Of commands about one thing.
#[derive(IntoResponses)]
pub(crate) enum Missing {
    /// There is no such thing, or it is not the caller's: the two are answered alike.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
}

/// Of calls that need a token.
#[derive(IntoResponses)]
pub(crate) enum Unauthenticated {
    /// No token, or one that is forged, expired or meant for something else.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
}

/// Of calls with a body of their own kind.
#[derive(IntoResponses)]
pub(crate) enum TooLarge {
    /// The body could not be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Broken(Problem),
    /// The body takes longer than 10 seconds to arrive.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(Problem),
    /// The body is larger than 64 kibibytes.
    #[response(status = 413, content_type = "application/problem+json")]
    Larger(Problem),
}

/// Of calls for some roles only.
#[derive(IntoResponses)]
pub(crate) enum Forbidden {
    /// The token's role may not ask for this.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
}

/// Of calls that check a password.
#[derive(IntoResponses)]
pub(crate) enum TooMany {
    /// Too many wrong passwords for this address: try again after `Retry-After` seconds.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyAttempts(Problem),
}
