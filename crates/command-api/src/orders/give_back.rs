//! `POST /v1/orders/{id}/returns`, `…/returns/{return}/received` and `…/refunds`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{OrderId, RefundId, ReturnId};
use domain::{Command, checkout, order};
use http_surface::auth::Caller;
use http_surface::{PathId, PathText, Problem};
use serde_json::json;
use uuid::Uuid;

use super::bodies::{NewRefund, NewReturn, Received, RefundAsked, ReturnAsked};
use crate::app::App;
use crate::edge::{
    Asked, Asking, Body, By, Conflicts, Forbidden, Malformed, Missing, NotWell, Unauthenticated, answered,
    buyer, done, staff, submit,
};

/// Asks to give pieces back that have arrived.
#[utoipa::path(
    post, path = "/v1/orders/{id}/returns", tag = "orders", request_body = NewReturn, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The order"), Asking),
    responses(
        (status = 201, description = "They are awaited", body = ReturnAsked),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn request_return(
    State(app): State<App>,
    caller: Caller,
    PathId(order_id): PathId<OrderId>,
    asked: Asked,
    Body(body): Body<NewReturn>,
) -> Result<Response, Problem> {
    let by = buyer(&caller)?;
    let ((reason, lines), return_id) = (body.value.parse()?, ReturnId(Uuid::now_v7()));
    let command = Command::Order(order::Command::RequestReturn { order_id, by, return_id, lines, reason });
    let answer = json!({"return_id": return_id});
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, answer).await?;
    Ok(answered(StatusCode::CREATED, &receipt, Some(&receipt.answer)))
}

/// A return has arrived: it is for sale again, or not, and its money goes back.
#[utoipa::path(
    post, path = "/v1/orders/{id}/returns/{return}/received", tag = "fulfilment", request_body = Received,
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The order"), ("return" = Uuid, Path, description = "The return"), Asking,
    ),
    responses(
        (status = 204, description = "It has arrived"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn receive_return(
    State(app): State<App>,
    caller: Caller,
    PathText((order_id, return_id)): PathText<(Uuid, Uuid)>,
    asked: Asked,
    Body(body): Body<Received>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let (amount, restock) = body.value.parse()?;
    let command = Command::Checkout(checkout::Command::ReceiveReturn {
        order_id: OrderId(order_id),
        return_id: ReturnId(return_id),
        refund_id: RefundId(Uuid::now_v7()),
        amount,
        restock,
    });
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, json!({})).await?;
    Ok(done(&receipt))
}

/// Gives money back.
#[utoipa::path(
    post, path = "/v1/orders/{id}/refunds", tag = "fulfilment", request_body = NewRefund, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The order"), Asking),
    responses(
        (status = 201, description = "The gateway is asked for it", body = RefundAsked),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn refund(
    State(app): State<App>,
    caller: Caller,
    PathId(order_id): PathId<OrderId>,
    asked: Asked,
    Body(body): Body<NewRefund>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let ((amount, reason), refund_id) = (body.value.parse()?, RefundId(Uuid::now_v7()));
    let command = Command::Checkout(checkout::Command::RefundOrder { order_id, refund_id, amount, reason });
    let answer = json!({"refund_id": refund_id});
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, answer).await?;
    Ok(answered(StatusCode::CREATED, &receipt, Some(&receipt.answer)))
}
