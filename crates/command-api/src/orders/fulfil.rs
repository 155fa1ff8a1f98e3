//! `POST /v1/orders/{id}/shipments` and `…/shipments/{shipment}/delivered`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{CaptureId, OrderId, ShipmentId};
use domain::{Command, checkout, order};
use http_surface::auth::Caller;
use http_surface::{PathId, PathText, Problem};
use serde_json::json;
use uuid::Uuid;

use super::bodies::{NewShipment, ShipmentSent};
use crate::app::App;
use crate::edge::{
    Asked, Asking, Body, By, Conflicts, Forbidden, Malformed, Missing, NotWell, Nothing, Unauthenticated,
    answered, done, staff, submit,
};

/// Sends some or all of what is not sent yet; its price is captured.
#[utoipa::path(
    post, path = "/v1/orders/{id}/shipments", tag = "fulfilment", request_body = NewShipment,
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The order"), Asking),
    responses(
        (status = 201, description = "It is on its way", body = ShipmentSent),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn ship(
    State(app): State<App>,
    caller: Caller,
    PathId(order_id): PathId<OrderId>,
    asked: Asked,
    Body(body): Body<NewShipment>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let (shipment, shipment_id) = (body.value.parse()?, ShipmentId(Uuid::now_v7()));
    let command = Command::Checkout(checkout::Command::ShipOrder {
        order_id,
        shipment_id,
        capture_id: CaptureId(Uuid::now_v7()),
        lines: shipment.lines,
        carrier: shipment.carrier,
        tracking_number: shipment.tracking_number,
    });
    let answer = json!({"shipment_id": shipment_id});
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, answer).await?;
    Ok(answered(StatusCode::CREATED, &receipt, Some(&receipt.answer)))
}

/// A shipment has arrived.
#[utoipa::path(
    post, path = "/v1/orders/{id}/shipments/{shipment}/delivered", tag = "fulfilment", request_body = Nothing,
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The order"), ("shipment" = Uuid, Path, description = "The shipment"), Asking,
    ),
    responses(
        (status = 204, description = "It has arrived"),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn deliver(
    State(app): State<App>,
    caller: Caller,
    PathText((order_id, shipment_id)): PathText<(Uuid, Uuid)>,
    asked: Asked,
    Body(body): Body<Nothing>,
) -> Result<Response, Problem> {
    staff(&caller)?;
    let (order_id, shipment_id) = (OrderId(order_id), ShipmentId(shipment_id));
    let command = Command::Order(order::Command::Deliver { order_id, shipment_id });
    let receipt = submit(&app, &asked, By::caller(&caller), &body.bytes, command, json!({})).await?;
    Ok(done(&receipt))
}
