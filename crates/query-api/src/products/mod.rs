//! The catalogue: search with facets, one product, what goes with it, and words to search for. Needs no token; the staff also
//! see products that are not published.

mod asked;
mod finding;
mod flights;
mod recent;
#[cfg(test)]
mod tests;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::ids::ProductId;
use http_surface::auth::Caller;
use http_surface::{PathId, Query};
use projections::products::Products;
use projections::products::query::{self, Facets, Hit, Product, Search, Suggestion};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::caller::is_staff;
use crate::conditional;
use crate::consistency::After;
use crate::error::Error;
use crate::refusals::{Missing, Refusals, Unauthenticated};
use asked::{Asked, Shown, Typed};
use finding::Answered;
pub(crate) use recent::Recent;

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FoundProducts)]
pub(crate) struct Found {
    /// Some of it.
    items: Vec<Hit>,
    /// What to send as `cursor` for those that follow. `null`: these were the last.
    next_cursor: Option<String>,
    /// How many there are on all pages together.
    total: i64,
    /// How many there are of what kinds, on all pages together. Each facet leaves its own filter out.
    facets: Facets,
}

/// What goes with a product.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Recommendations {
    /// What is bought with it, most often first; then others of its category, what is bought most first.
    items: Vec<Hit>,
}

/// What to search for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Suggestions {
    /// Categories, brands and products; those that begin with what was typed first.
    items: Vec<Suggestion>,
}

/// Published products: a search when there is a `q`, else a list. What was answered to the same question within the last second
/// may be answered again, unless a `Consistency-Token` asks for more.
#[utoipa::path(
    get, path = "/v1/products", tag = "catalogue", params(Asked, After),
    responses(
        (status = 200, description = "Some products, and facets of all of them", body = Found, headers(
            ("Search-Fallback" = String, description = "`postgresql` when the read models have answered in the place of the \
                search engine, which is away or not far enough; not there otherwise"),
        )),
        Refusals,
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    Query(asked): Query<Asked>,
    after: After,
) -> Result<Response, Error> {
    let search = asked.search(&app.keys)?;
    // Where there is a search engine, whether it answers is asked every time.
    if app.finder.is_some() {
        let page = found(&app, &search, after).await?;
        return Ok(page.map(|page| Ok(json(page)))?.into_response());
    }
    match app.recent.page_or_turn(&search, after).await {
        Ok(page) => {
            metrics::counter!("query_recent_answers_total").increment(1);
            Ok(json(page))
        }
        Err(_flight) => {
            let page = found(&app, &search, after).await?.answer;
            app.recent.keep_page(&search, after, page.clone());
            Ok(json(page))
        }
    }
}

/// A page as it is sent.
async fn found(app: &App, search: &Search, after: After) -> Result<Answered<Bytes>, Error> {
    app.search(after, search).await?.map(|found| {
        let next_cursor = found.next.map(|key| asked::cursor(&app.keys, search, key)).transpose()?;
        let total = found.facets.total;
        let found = Found { items: found.hits, next_cursor, total, facets: found.facets };
        let page = serde_json::to_vec(&found).map_err(|error| Error::Unreadable(error.to_string()))?;
        Ok(Bytes::from(page))
    })
}

fn json(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// One product. One that is not published is there for the staff only.
#[utoipa::path(
    get, path = "/v1/products/{id}", tag = "catalogue",
    params(("id" = Uuid, Path, description = "The product"), After),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "The product. `ETag` is its version, for `If-Match`; its stock changes without it",
            body = Product, headers(("ETag" = String))),
        Refusals, Missing, Unauthenticated,
    ),
)]
pub(crate) async fn find(
    State(app): State<App>,
    caller: Option<Caller>,
    PathId(product_id): PathId<ProductId>,
    after: After,
) -> Result<Response, Error> {
    let product = visible(&app, caller.as_ref(), product_id, after).await?;
    // Stock has a stream of its own: a cache that has this version may still show pieces that are gone.
    Ok(conditional::fresh(product.version, &product))
}

/// What goes with a product.
#[utoipa::path(
    get, path = "/v1/products/{id}/recommendations", tag = "catalogue",
    params(("id" = Uuid, Path, description = "The product"), Shown, After),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "What goes with it", body = Recommendations),
        Refusals, Missing, Unauthenticated,
    ),
)]
pub(crate) async fn recommendations(
    State(app): State<App>,
    caller: Option<Caller>,
    PathId(product_id): PathId<ProductId>,
    Query(shown): Query<Shown>,
    after: After,
) -> Result<Json<Recommendations>, Error> {
    let (ref locale, currency, limit) = shown.parse()?;
    let product = visible(&app, caller.as_ref(), product_id, after).await?;
    let id = product.product_id;
    let alike = |read| async move { query::recommendations(&read, id, locale, currency, limit).await };
    let items = app.read(after, &[Products::NAME], alike).await?;
    Ok(Json(Recommendations { items }))
}

/// Categories, brands and products to search for, while somebody is still typing.
#[utoipa::path(
    get, path = "/v1/search/suggest", tag = "catalogue", params(Typed, After),
    responses(
        (status = 200, description = "What to search for", body = Suggestions, headers(
            ("Search-Fallback" = String, description = "`postgresql` when the read models have answered in the place of the \
                search engine; not there otherwise"),
        )),
        Refusals,
    ),
)]
pub(crate) async fn suggest(
    State(app): State<App>,
    Query(typed): Query<Typed>,
    after: After,
) -> Result<Answered<Json<Suggestions>>, Error> {
    app.suggest(after, &typed.parse()?).await?.map(|items| Ok(Json(Suggestions { items })))
}

/// A product that the caller may see.
async fn visible(
    app: &App,
    caller: Option<&Caller>,
    product_id: ProductId,
    after: After,
) -> Result<Product, Error> {
    let find = |read| async move { query::find(&read, product_id).await };
    let product = app.read(after, &[Products::NAME], find).await?;
    let product = product.filter(|product| product.published || caller.is_some_and(is_staff));
    product.ok_or(Error::NotFound("product"))
}
