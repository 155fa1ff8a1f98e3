//! `POST /v1/orders`.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use domain::ids::{OrderId, PaymentId};
use domain::order::{Delivery, Status};
use domain::{Actor, Command, Event, StreamId, checkout, order};
use event_store::Head;
use http_surface::auth::Caller;
use http_surface::{Prefer, Problem};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use super::bodies::{NewOrder, Parsed, Placed};
use super::settlements::Settled;
use crate::app::App;
use crate::customers::profile;
use crate::edge::{
    Asked, AskingAnew, Body, By, Conflicts, Forbidden, Malformed, Missing, NotWell, Preferring,
    Unauthenticated, answered, log_failure, present_buyer, submit,
};
use crate::engine::Receipt;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Makes an order of a cart: every piece is reserved or none, and the payment is asked for.
#[utoipa::path(
    post, path = "/v1/orders", tag = "orders", params(AskingAnew, Preferring), request_body = NewOrder,
    security(("bearer" = [])),
    responses(
        (status = 201, description = "The order is placed", body = Placed),
        Malformed, Unauthenticated, Forbidden, Missing, Conflicts, NotWell,
    ),
)]
pub(crate) async fn place(
    State(app): State<App>,
    caller: Caller,
    asked: Asked,
    prefer: Prefer,
    Body(body): Body<NewOrder>,
) -> Result<Response, Problem> {
    let by = present_buyer(&app, &caller).await?;
    let parsed = body.value.parse(&app)?;
    let order_id = OrderId(Uuid::now_v7());
    let command = command(&app, parsed, by, order_id).await?;
    let mut waiting = match prefer.wait {
        Some(_) => Some(app.settlements.watch(order_id).await.map_err(log_failure)?),
        None => None,
    };
    let answer = json!({"order_id": order_id});
    let mut receipt = submit(&app, &asked.anew(), By::caller(&caller), &body.bytes, command, answer).await?;
    let deadline = Instant::now() + prefer.wait.unwrap_or_default();
    let first = receipt.answer["order_id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(order_id);
    let mut status = Status::PendingPayment;
    if first != order_id {
        // It was placed before: what has become of it by now, and what becomes of it next.
        if prefer.wait.is_some() {
            waiting = Some(app.settlements.watch(first).await.map_err(log_failure)?);
        }
        status = so_far(&app, first, &mut receipt).await?;
    }
    if let (Status::PendingPayment, Some(waiting)) = (status, waiting)
        && let Ok(Ok(settled)) = tokio::time::timeout_at(deadline, waiting).await
    {
        status = settle(&mut receipt, settled);
    }
    Ok(respond(&receipt, first, status, prefer.wait))
}

async fn command(app: &App, parsed: Parsed, by: Actor, order_id: OrderId) -> Result<Command, Problem> {
    let contact = match (parsed.contact, &by) {
        (Some(contact), _) => Some(contact),
        (None, Actor::Customer(customer_id)) => profile::contact(app, *customer_id).await?,
        (None, _) => None,
    };
    let contact = contact.ok_or_else(|| Problem::field("/contact", "is needed unless a customer orders"))?;
    let at = Utc::now();
    let reservation = chrono::Duration::from_std(app.config.reservation).unwrap_or(chrono::Duration::MAX);
    Ok(Command::Checkout(checkout::Command::PlaceOrder {
        order_id,
        payment_id: PaymentId(Uuid::now_v7()),
        cart_id: parsed.cart_id,
        by,
        delivery: Delivery { contact, address: parsed.address },
        shipping_method: parsed.shipping_method,
        gateway: parsed.gateway,
        token: parsed.token,
        at,
        reserved_until: at.checked_add_signed(reservation).unwrap_or(chrono::DateTime::<Utc>::MAX_UTC),
    }))
}

/// How far an order has come, as the log has it. The receipt then stands for all that was seen of it.
async fn so_far(app: &App, order_id: OrderId, receipt: &mut Receipt) -> Result<Status, Problem> {
    let events = app.store.read_stream(&StreamId::order(order_id), 0).await.map_err(log_failure)?;
    if let Some(last) = events.last() {
        receipt.head = Head { position: last.position.max(receipt.head.position), ..receipt.head };
        receipt.version = Some(last.version);
    }
    let state = events.iter().fold(order::State::default(), |state, recorded| match &recorded.event {
        Event::Order(event) => order::evolve(state, event),
        _ => state,
    });
    Ok(state.status().unwrap_or(Status::PendingPayment))
}

fn settle(receipt: &mut Receipt, settled: Settled) -> Status {
    receipt.head = settled.head;
    receipt.version = Some(settled.version);
    settled.status
}

fn respond(receipt: &Receipt, order_id: OrderId, status: Status, wait: Option<Duration>) -> Response {
    let body = json!({"order_id": order_id, "status": status});
    let answer = answered(StatusCode::CREATED, receipt, Some(&body));
    let mut response = ([(LOCATION, format!("/v1/orders/{order_id}"))], answer).into_response();
    if let Some(wait) = wait {
        let applied = format!("wait={}", wait.as_secs());
        if let Ok(value) = applied.parse() {
            response.headers_mut().insert(PREFERENCE_APPLIED, value);
        }
    }
    response
}
