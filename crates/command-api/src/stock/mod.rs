//! Stock. For the staff.

mod bodies;

use axum::extract::State;
use axum::response::Response;
use domain::Command;
use domain::stock::{self, Action};
use domain::text::Sku;
use http_surface::auth::Caller;
use http_surface::{PathText, Problem};
use serde_json::json;

use self::bodies::{Adjustment, Level, Receipt};
use crate::app::App;
use crate::edge::{
    Asked, Asking, Body, By, Conflicts, Forbidden, Malformed, Missing, NotWell, Unauthenticated, done, sku,
    staff, submit,
};

/// Goods came in.
#[utoipa::path(
    post, path = "/v1/stock/{sku}/receipts", tag = "stock", request_body = Receipt, security(("bearer" = [])),
    params(("sku" = String, Path, description = "The SKU"), Asking),
    responses(
        (status = 204, description = "They can be sold"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn receive(
    State(app): State<App>,
    caller: Caller,
    PathText(text): PathText<String>,
    asked: Asked,
    Body(body): Body<Receipt>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let (quantity, reason) = body.value.parse()?;
    act(&app, &caller, &asked, &body.bytes, sku(&text)?, Action::Receive { quantity, reason }).await
}

/// Corrects a count.
#[utoipa::path(
    post, path = "/v1/stock/{sku}/adjustments", tag = "stock", request_body = Adjustment, security(("bearer" = [])),
    params(("sku" = String, Path, description = "The SKU"), Asking),
    responses(
        (status = 204, description = "It is corrected"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn adjust(
    State(app): State<App>,
    caller: Caller,
    PathText(text): PathText<String>,
    asked: Asked,
    Body(body): Body<Adjustment>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let (delta, reason) = body.value.parse()?;
    act(&app, &caller, &asked, &body.bytes, sku(&text)?, Action::Adjust { delta, reason }).await
}

/// Sets the level at which to reorder.
#[utoipa::path(
    put, path = "/v1/stock/{sku}/reorder-point", tag = "stock", request_body = Level, security(("bearer" = [])),
    params(("sku" = String, Path, description = "The SKU"), Asking),
    responses(
        (status = 204, description = "It is set"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn set_reorder_point(
    State(app): State<App>,
    caller: Caller,
    PathText(text): PathText<String>,
    asked: Asked,
    Body(body): Body<Level>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let quantity = body.value.parse()?;
    act(&app, &caller, &asked, &body.bytes, sku(&text)?, Action::SetReorderPoint { quantity }).await
}

async fn act(
    app: &App,
    caller: &Caller,
    asked: &Asked,
    body: &[u8],
    sku: Sku,
    action: Action,
) -> Result<Response, Problem> {
    let command = Command::Stock(stock::Command { sku, action });
    let receipt = submit(app, asked, By::caller(caller), body, command, json!({})).await?;
    Ok(done(&receipt))
}
