//! `GET /v1/stock/{sku}`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::text::Sku;
use http_surface::PathId;
use projections::stock::Stock as Model;
use projections::stock::query::{self, Stock};

use crate::app::App;
use crate::conditional::{self, IfNoneMatch};
use crate::consistency::After;
use crate::error::Error;
use crate::refusals::{Missing, Refusals};

/// How many pieces there are, are held for orders, and can be bought.
#[utoipa::path(
    get, path = "/v1/stock/{sku}", tag = "catalogue",
    params(("sku" = String, Path, description = "The stock item"), After, IfNoneMatch),
    responses(
        (status = 200, description = "The stock item; `ETag` is its version", body = Stock, headers(("ETag" = String))),
        (status = 304, description = "It is at the version of `If-None-Match`"),
        Refusals, Missing,
    ),
)]
pub(crate) async fn find(
    State(app): State<App>,
    PathId(sku): PathId<Sku>,
    after: After,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let sku = &sku;
    let found = app.read(after, &[Model::NAME], |read| async move { query::find(&read, sku).await }).await?;
    let stock = found.ok_or(Error::NotFound("SKU"))?;
    Ok(conditional::answer(&headers, stock.version, &stock))
}
