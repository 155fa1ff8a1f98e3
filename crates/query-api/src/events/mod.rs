//! `GET /v1/events`: the log itself, for analysts. As NDJSON up to where the log is now, or as server-sent events that go on.

mod lines;
mod live;
mod pages;
mod selection;
mod shown;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse, Response};
use event_store::Position;
use http_surface::Query;
use http_surface::auth::{Caller, Role};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::app::App;
use crate::consistency::After;
use crate::error::Error;
use crate::header;
use crate::refusals::{Refusals, Unauthenticated, Unauthorised};
use selection::Asked;

pub(crate) use pages::Pages;
pub(crate) use selection::Selection;
pub(crate) use shown::Shown;

/// The recorded events, in the order in which they happened.
///
/// NDJSON by default: one event a line, from `after` up to where the log was when the answer began (the answer's
/// `Consistency-Token`), and complete unless the transfer breaks off. With `Accept: text/event-stream`: the same events as
/// server-sent events, which go on as long as the token is valid; the `id` of each is its position, so that a client
/// that comes back with `Last-Event-ID` misses nothing. Personal data stays sealed. An answer is streamed: it may be as long as the log.
#[utoipa::path(
    get, path = "/v1/events", tag = "log", params(Asked, After, LastEventId),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The events", content(
            (Shown<'static> = "application/x-ndjson"),
            (Shown<'static> = "text/event-stream"),
        )),
        Refusals, Unauthenticated, Unauthorised,
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    after: After,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    caller.require(&[Role::Analyst])?;
    let mut selection = asked.parse()?;
    after.logged(&app).await?;
    let place = app.reading_place()?;
    if !wants_server_sent_events(&headers) {
        return lines::answer(&app, selection, place).await;
    }
    if let Some(last) = last_event_id(&headers)? {
        selection.after = last;
    }
    Ok(live::answer(&app, caller, selection, place).into_response())
}

fn wants_server_sent_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|range| range.split(';').next().is_some_and(|name| name.trim() == "text/event-stream"))
}

/// `Last-Event-ID`, by which a client of server-sent events says how far it came.
struct LastEventId;

impl IntoParams for LastEventId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "Only with server-sent events: the position of the last event that was received, instead of `after`.";
        header::optional("Last-Event-ID", description)
    }
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Position>, Error> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let position = value.to_str().ok().and_then(|value| value.trim().parse().ok());
    let rule = || Error::Parameter { name: "Last-Event-ID", rule: "must be a position".to_owned() };
    position.map(|position| Some(Position(position))).ok_or_else(rule)
}
