//! `PUT` and `DELETE /v1/carts/{id}/items/{sku}`.

use axum::extract::State;
use axum::response::Response;
use domain::ids::CartId;
use domain::text::Sku;
use domain::{Command, cart};
use http_surface::auth::Caller;
use http_surface::{PathText, Problem};
use serde_json::json;
use uuid::Uuid;

use super::bodies::Quantity;
use crate::app::App;
use crate::edge::{
    Asked, Asking, Body, By, Conflicts, Forbidden, Malformed, Missing, NotWell, Unauthenticated, buyer, done,
    sku, submit,
};

/// Sets how many pieces of a SKU are in the cart.
#[utoipa::path(
    put, path = "/v1/carts/{id}/items/{sku}", tag = "carts", request_body = Quantity, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The cart"), ("sku" = String, Path, description = "The SKU"), Asking),
    responses(
        (status = 204, description = "That many are in it now"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn set(
    State(app): State<App>,
    caller: Caller,
    PathText((cart_id, text)): PathText<(Uuid, String)>,
    asked: Asked,
    Body(body): Body<Quantity>,
) -> Result<Response, Problem> {
    let by = buyer(&caller)?;
    let quantity = body.value.parse()?;
    let (cart_id, sku): (CartId, Sku) = (CartId(cart_id), sku(&text)?);
    let command = Command::Cart(cart::Command::SetItem { cart_id, by, sku, quantity });
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, json!({})).await?;
    Ok(done(&receipt))
}

/// Takes a SKU out of the cart.
#[utoipa::path(
    delete, path = "/v1/carts/{id}/items/{sku}", tag = "carts", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The cart"), ("sku" = String, Path, description = "The SKU"), Asking),
    responses(
        (status = 204, description = "None is in it now"),
        Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn remove(
    State(app): State<App>,
    caller: Caller,
    PathText((cart_id, text)): PathText<(Uuid, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let by = buyer(&caller)?;
    let command = Command::Cart(cart::Command::RemoveItem { cart_id: CartId(cart_id), by, sku: sku(&text)? });
    let receipt = submit(&app, &asked, By::caller(&caller), b"", command, json!({})).await?;
    Ok(done(&receipt))
}
