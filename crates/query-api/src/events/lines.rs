//! Events as NDJSON: a finite answer, sent page by page as it is read.

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use event_store::Raw;
use futures::stream;
use http_surface::{CONSISTENCY_TOKEN, ConsistencyToken};
use tokio::sync::OwnedSemaphorePermit;

use super::{Pages, Selection, Shown};
use crate::app::App;
use crate::error::Error;

/// The answer: everything selected, up to where the log is now.
pub(super) async fn answer(
    app: &App,
    mut selection: Selection,
    place: OwnedSemaphorePermit,
) -> Result<Response, Error> {
    let head = app.store.head().await?;
    let until = selection.filter.until.map_or(head.position, |until| until.min(head.position));
    selection.filter.until = Some(until);
    let mut pages = Pages::new(app.store.clone(), selection, app.config.events_per_page);
    // The first page is read before anything is answered, so that a log that is away is a problem and not a broken body.
    let first = pages.next().await?;
    let body = Body::from_stream(stream::try_unfold(
        (pages, Some(first), place),
        |(mut pages, first, place)| async {
            let page = match first {
                Some(first) => first,
                None => pages.next().await.inspect_err(report)?,
            };
            if page.is_empty() {
                return Ok(None);
            }
            Ok::<_, BoxError>(Some((lines(&page)?, (pages, None, place))))
        },
    ));
    let token = ConsistencyToken::encode(head);
    let headers = [(CONTENT_TYPE, "application/x-ndjson".to_owned()), (CONSISTENCY_TOKEN, token)];
    Ok((headers, body).into_response())
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The client sees the transfer break off; why is known here only.
fn report(error: &event_store::Error) {
    tracing::error!(%error, "a stream of events broke off: the log could not be read");
}

fn lines(page: &[Raw]) -> Result<Bytes, serde_json::Error> {
    let mut text = Vec::with_capacity(page.len() * 512);
    for raw in page {
        serde_json::to_writer(&mut text, &Shown::from(raw))?;
        text.push(b'\n');
    }
    Ok(text.into())
}
