//! Sessions: signing in, going on, signing out.

mod bodies;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use domain::customer::EmailIndex;
use domain::text::Email;
use http_surface::Problem;
use http_surface::auth::{Caller, Claims};
use std::time::Duration;

use self::bodies::{Refresh, SignIn, Tokens};
use crate::accounts::{Account, Renewed, Session};
use crate::app::App;
use crate::customers::owner;
use crate::edge::{Body, Malformed, Missing, NotWell, TooMany, Unauthenticated};

/// How long an access token is valid.
const ACCESS: Duration = Duration::from_secs(15 * 60);

/// Signs in.
#[utoipa::path(
    post, path = "/v1/sessions", tag = "sessions", request_body = SignIn,
    responses(
        (status = 201, description = "Signed in", body = Tokens),
        (status = 401, description = "`invalid-credentials`: no such address, or another password", body = Problem,
            content_type = "application/problem+json"),
        Malformed, TooMany, NotWell,
    ),
)]
pub(crate) async fn sign_in(State(app): State<App>, Body(body): Body<SignIn>) -> Result<Response, Problem> {
    // What is no address has no account: it is not told apart from one that has none.
    let email = Email::parse(&body.value.email).map_err(|_| refused())?;
    let index = app.store.email_index(&email);
    let account = registered(&app, &index).await?;
    if !app.accounts.authenticate(&index, account.as_ref(), &body.value.password).await? {
        return Err(refused());
    }
    let Some(account) = account else { return Err(refused()) };
    if !account.active {
        app.accounts.activate(account.account_id).await?;
    }
    let session = app.accounts.begin(account.account_id, account.roles()).await?;
    tokens(&app, &session)
}

fn refused() -> Problem {
    Problem::unauthorised("invalid-credentials", "the e-mail address or the password is wrong")
}

/// The account of an address. A row that is still pending counts when the log says that its customer has the address: that one is
/// fetched by its id, among however many others that were cut off.
async fn registered(app: &App, index: &EmailIndex) -> Result<Option<Account>, Problem> {
    match app.accounts.of(index).await? {
        Some(pending) if !pending.active => match owner(app, index).await? {
            Some(owner) => Ok(app.accounts.of_owner(index, owner.0).await?),
            None => Ok(None),
        },
        found => Ok(found),
    }
}

fn tokens(app: &App, session: &Session) -> Result<Response, Problem> {
    let claims = Claims::new(session.account_id, session.roles.clone(), Some(session.session_id), ACCESS);
    let tokens = Tokens::new(app.keys.issue(&claims)?, &session.refresh_token, ACCESS);
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(tokens)).into_response())
}

/// Goes on with a session: the refresh token is used up, and a new one is in the answer.
#[utoipa::path(
    post, path = "/v1/sessions/refresh", tag = "sessions", request_body = Refresh,
    responses(
        (status = 201, description = "The session goes on", body = Tokens),
        (status = 401, description = "`invalid-refresh-token`: unknown, expired, or used before, which ends the session", body = Problem,
            content_type = "application/problem+json"),
        Malformed, NotWell,
    ),
)]
pub(crate) async fn refresh(State(app): State<App>, Body(body): Body<Refresh>) -> Result<Response, Problem> {
    match app.accounts.renew(body.value.token()).await? {
        Renewed::Yes(session) => tokens(&app, &session),
        Renewed::No => Err(Problem::unauthorised("invalid-refresh-token", "this refresh token is not valid")),
        Renewed::Stolen => {
            tracing::warn!("a refresh token was used twice; its session has been ended");
            let detail = "this refresh token was used before; the session has been ended";
            Err(Problem::unauthorised("invalid-refresh-token", detail))
        }
    }
}

/// Signs out: the session's refresh token is of no use any more.
#[utoipa::path(
    delete, path = "/v1/sessions/current", tag = "sessions", security(("bearer" = [])),
    responses((status = 204, description = "Signed out"), Unauthenticated, Missing, NotWell),
)]
pub(crate) async fn sign_out(State(app): State<App>, caller: Caller) -> Result<StatusCode, Problem> {
    let Some(session_id) = caller.claims.sid else { return Err(Problem::not_found("session")) };
    let ended = app.accounts.end(session_id, caller.claims.sub).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("session")) }
}
