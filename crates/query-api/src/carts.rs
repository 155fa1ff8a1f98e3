//! `GET /v1/carts/{id}`.

use axum::extract::State;
use axum::response::Response;
use domain::ids::CartId;
use http_surface::PathId;
use http_surface::auth::Caller;
use projections::carts::Carts;
use projections::carts::query::{self, Cart};
use projections::products::Products;

use crate::app::App;
use crate::caller;
use crate::conditional;
use crate::consistency::After;
use crate::error::Error;
use crate::refusals::{Missing, Refusals, Unauthenticated};

/// A cart: its owner's, and the staff's.
#[utoipa::path(
    get, path = "/v1/carts/{id}", tag = "carts",
    params(("id" = Uuid, Path, description = "The cart"), After),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The cart; `ETag` is its version", body = Cart, headers(("ETag" = String))),
        Refusals, Missing, Unauthenticated,
    ),
)]
pub(crate) async fn find(
    State(app): State<App>,
    caller: Caller,
    PathId(cart_id): PathId<CartId>,
    after: After,
) -> Result<Response, Error> {
    let models = [Carts::NAME, Products::NAME];
    let cart = app.read(after, &models, |read| async move { query::find(&read, cart_id).await }).await?;
    let cart = cart.filter(|cart| caller::may_see(&caller, &cart.owner)).ok_or(Error::NotFound("cart"))?;
    // Its version says what is in it. What that costs today changes without it.
    Ok(conditional::fresh(cart.version, &cart))
}
