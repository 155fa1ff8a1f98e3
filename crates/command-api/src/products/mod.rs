//! Products. For the staff.

mod bodies;

use axum::extract::State;
use axum::response::Response;
use domain::ids::ProductId;
use domain::{Command, product};
use http_surface::auth::Caller;
use http_surface::{PathId, Problem};
use serde_json::json;
use uuid::Uuid;

use self::bodies::{Created, NewProduct, ProductChange};
use crate::app::App;
use crate::edge::{
    Asked, Asking, Body, By, Conflicts, Forbidden, Malformed, Missing, NotWell, Nothing, Unauthenticated,
    created, done, staff, submit,
};

/// Adds a product to the catalogue, and its SKU to the stock. It is not on sale yet.
#[utoipa::path(
    post, path = "/v1/products", tag = "catalogue", params(Asking), request_body = NewProduct,
    security(("bearer" = [])),
    responses(
        (status = 201, description = "It is in the catalogue", body = Created),
        Malformed, Unauthenticated, Forbidden, Conflicts, NotWell,
    ),
)]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    asked: Asked,
    Body(body): Body<NewProduct>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let product_id = ProductId(Uuid::now_v7());
    let command = Command::Product(product::Command::Create(body.value.parse(product_id)?));
    let answer = json!({"product_id": product_id});
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, answer).await?;
    Ok(created(&receipt, "product_id", |id| format!("/v1/products/{id}")))
}

/// Changes what is given; what is left out stays.
#[utoipa::path(
    patch, path = "/v1/products/{id}", tag = "catalogue", request_body = ProductChange, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The product"), Asking),
    responses(
        (status = 204, description = "It is changed"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    PathId(product_id): PathId<ProductId>,
    asked: Asked,
    Body(body): Body<ProductChange>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let command = Command::Product(product::Command::Change { product_id, change: body.value.parse()? });
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, json!({})).await?;
    Ok(done(&receipt))
}

/// Puts a product on sale.
#[utoipa::path(
    post, path = "/v1/products/{id}/publish", tag = "catalogue", request_body = Nothing, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The product"), Asking),
    responses(
        (status = 204, description = "It is on sale"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn publish(
    State(app): State<App>,
    caller: Caller,
    PathId(product_id): PathId<ProductId>,
    asked: Asked,
    Body(body): Body<Nothing>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let command = Command::Product(product::Command::Publish { product_id });
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, json!({})).await?;
    Ok(done(&receipt))
}

/// Takes a product off sale.
#[utoipa::path(
    post, path = "/v1/products/{id}/unpublish", tag = "catalogue", request_body = Nothing, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The product"), Asking),
    responses(
        (status = 204, description = "It is no longer on sale"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn unpublish(
    State(app): State<App>,
    caller: Caller,
    PathId(product_id): PathId<ProductId>,
    asked: Asked,
    Body(body): Body<Nothing>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let command = Command::Product(product::Command::Unpublish { product_id });
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, json!({})).await?;
    Ok(done(&receipt))
}
