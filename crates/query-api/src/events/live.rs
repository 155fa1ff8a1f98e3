//! Events as server-sent events: what is there, and then what happens, until the caller's token expires.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use event_store::Raw;
use futures::stream::{self, Stream, StreamExt};
use http_surface::auth::Caller;
use tokio::sync::OwnedSemaphorePermit;

use super::{Pages, Selection, Shown};
use crate::app::App;
use crate::caller::until_expiry;

/// Proxies close what is silent for long; this is sent while nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The answer: everything selected, going on for as long as the token is valid.
pub(super) fn answer(
    app: &App,
    caller: Caller,
    selection: Selection,
    place: OwnedSemaphorePermit,
) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
    let pages = Pages::new(app.store.clone(), selection, app.config.events_per_page);
    let shutdown = app.config.shutdown.clone();
    let events = stream::unfold((pages, place), move |(mut pages, place)| {
        let shutdown = shutdown.clone();
        async move {
            match pages.follow(&shutdown).await {
                Ok(page) => page.map(|page| (page, (pages, place))),
                // The stream ends; a client of server-sent events comes back by itself with the last position it saw.
                Err(error) => {
                    tracing::error!(%error, after = pages.after().0, "a stream of events ended: the log could not be read");
                    None
                }
            }
        }
    });
    let events = events.flat_map(|page| stream::iter(page.iter().map(event).map(Ok).collect::<Vec<_>>()));
    Sse::new(events.take_until(until_expiry(caller))).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

fn event(raw: &Raw) -> Event {
    let event = Event::default().id(raw.position.0.to_string());
    event.json_data(Shown::from(raw)).unwrap_or_else(|error| {
        Event::default().event("unreadable").data(format!("position {}: {error}", raw.position.0))
    })
}
