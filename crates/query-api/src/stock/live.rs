//! `GET /v1/stock/{sku}/live`: what is there at once, and then every change.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::text::Sku;
use futures::stream::{self, Stream as Events, StreamExt};
use http_surface::PathId;
use projections::stock::Stock as Model;
use projections::stock::query::{self, Stock};
use tokio::sync::{OwnedSemaphorePermit, watch as channel};

use crate::app::App;
use crate::consistency::After;
use crate::error::Error;
use crate::refusals::{Missing, Refusals};

/// Proxies close what is silent for long; this is sent while nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A stock item as it is, and then as it changes, as server-sent events.
///
/// The `id` of each is the item's version. Changes that follow on each other faster than they can be sent are one: the last
/// state is always sent.
#[utoipa::path(
    get, path = "/v1/stock/{sku}/live", tag = "catalogue",
    params(("sku" = String, Path, description = "The stock item"), After),
    responses(
        (status = 200, description = "Its states", content((Stock = "text/event-stream"))),
        Refusals, Missing,
    ),
)]
pub(crate) async fn watch(
    State(app): State<App>,
    PathId(sku): PathId<Sku>,
    after: After,
) -> Result<Sse<impl Events<Item = Result<Event, Infallible>>>, Error> {
    let place = app.watching_place()?;
    let sku = &sku;
    let find = |read| async move { query::find(&read, sku).await };
    // Asked before it is watched: what does not exist is not watched either.
    app.read(after, &[Model::NAME], find).await?.ok_or(Error::NotFound("SKU"))?;
    let (changes, from) = app.board.watch(sku).await?;
    let now =
        app.read(After::everything_to(from), &[Model::NAME], find).await?.ok_or(Error::NotFound("SKU"))?;
    let watching = Watching { changes, now: Some(now), version: 0, _place: place };
    let states =
        stream::unfold(watching, Watching::next).take_until(app.config.shutdown.clone().cancelled_owned());
    Ok(Sse::new(states).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// Somebody who watches.
struct Watching {
    changes: channel::Receiver<Option<Stock>>,
    /// What is to be sent first.
    now: Option<Stock>,
    /// What was sent last: nothing older is sent after it.
    version: u32,
    _place: OwnedSemaphorePermit,
}

impl Watching {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let stock = loop {
            let next = match self.now.take() {
                Some(now) => Some(now),
                None => {
                    self.changes.changed().await.ok()?;
                    self.changes.borrow_and_update().clone()
                }
            };
            match next {
                Some(stock) if stock.version > self.version => break stock,
                _ => {}
            }
        };
        self.version = stock.version;
        Some((Ok(event(&stock)), self))
    }
}

fn event(stock: &Stock) -> Event {
    let event = Event::default().id(stock.version.to_string());
    event.json_data(stock).unwrap_or_else(|error| {
        tracing::error!(%error, sku = %stock.sku, "a stock item cannot be shown; this is a defect");
        Event::default().comment("unreadable")
    })
}
