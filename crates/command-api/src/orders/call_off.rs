//! `POST /v1/orders/{id}/cancel`.

use axum::extract::State;
use axum::response::Response;
use domain::ids::{OrderId, RefundId};
use domain::{Command, checkout};
use http_surface::auth::Caller;
use http_surface::{PathId, Problem};
use serde_json::json;
use uuid::Uuid;

use super::bodies::Reason;
use crate::app::App;
use crate::edge::{
    Asked, Asking, Body, By, Conflicts, Forbidden, Malformed, Missing, NotWell, Unauthenticated, buyer, done,
    submit,
};

/// Calls an order off before anything of it is sent: its pieces are free again, and its money goes back.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancel", tag = "orders", request_body = Reason, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The order"), Asking),
    responses(
        (status = 204, description = "It is called off"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    PathId(order_id): PathId<OrderId>,
    asked: Asked,
    Body(body): Body<Reason>,
) -> Result<Response, Problem> {
    let by = buyer(&caller)?;
    let (reason, refund_id) = (body.value.parse()?, RefundId(Uuid::now_v7()));
    let command = Command::Checkout(checkout::Command::CancelOrder { order_id, by, reason, refund_id });
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, json!({})).await?;
    Ok(done(&receipt))
}
