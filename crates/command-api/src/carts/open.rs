//! `POST /v1/carts`.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use domain::ids::CartId;
use domain::{Actor, Command, Owner, cart};
use http_surface::Problem;
use http_surface::auth::{Caller, Claims, Role};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bodies::{NewCart, Opened};
use crate::app::App;
use crate::edge::{
    Asked, Asking, Body, By, Conflicts, Forbidden, Malformed, NotWell, Unauthenticated, answered,
    present_buyer, submit,
};
use crate::engine::Receipt;

/// How long a guest's token is valid: as long as somebody may want to look after an order.
const GUEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Opens a cart: a customer's with a customer's token, else a guest's, with a token for it in the answer.
///
/// Without a token, an `Idempotency-Key` must be a random UUID (version 4 or 7; else 400 `invalid-header`), and kept secret:
/// whoever sends it again is answered with the same cart, and a token for it.
#[utoipa::path(
    post, path = "/v1/carts", tag = "carts", params(Asking), request_body = NewCart,
    security((), ("bearer" = [])),
    responses(
        (status = 201, description = "The cart is open", body = Opened),
        Malformed, Unauthenticated, Forbidden, Conflicts, NotWell,
    ),
)]
pub(crate) async fn open(
    State(app): State<App>,
    caller: Option<Caller>,
    asked: Asked,
    Body(body): Body<NewCart>,
) -> Result<Response, Problem> {
    let (currency, locale) = body.value.parse()?;
    let cart_id = CartId(Uuid::now_v7());
    let (owner, by) = whose(&app, &asked, caller.as_ref(), cart_id).await?;
    let command = Command::Cart(cart::Command::Open { cart_id, owner, currency, locale });
    let receipt = submit(&app, &asked, by, &body.bytes, command, json!({"cart_id": cart_id})).await?;
    answer(&app, &receipt, owner)
}

/// A customer's carts are theirs; the staff opens carts for guests; a guest has one cart, and opens another as another guest.
async fn whose(
    app: &App,
    asked: &Asked,
    caller: Option<&Caller>,
    cart_id: CartId,
) -> Result<(Owner, By), Problem> {
    let guest = Actor::Guest(cart_id);
    let Some(caller) = caller else {
        return Ok((Owner::Guest(cart_id), By::nobody_yet(guest, asked)?));
    };
    match present_buyer(app, caller).await? {
        Actor::Customer(customer_id) => Ok((Owner::Customer(customer_id), By::caller(caller))),
        Actor::Staff(_) => Ok((Owner::Guest(cart_id), By::caller(caller))),
        _ => Ok((Owner::Guest(cart_id), By::another(guest, caller))),
    }
}

/// The token is made for the answer, and again when the call comes again: it is kept nowhere.
fn answer(app: &App, receipt: &Receipt, owner: Owner) -> Result<Response, Problem> {
    let mut body = receipt.answer.clone();
    let cart_id = body["cart_id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
    let Some(cart_id) = cart_id else { return Err(Problem::internal()) };
    if let Owner::Guest(_) = owner {
        let claims = Claims::new(cart_id, vec![Role::Guest], None, GUEST);
        body["guest_token"] = Value::String(app.keys.issue(&claims)?);
    }
    let location = [(LOCATION, format!("/v1/carts/{cart_id}"))];
    Ok((location, answered(StatusCode::CREATED, receipt, Some(&body))).into_response())
}
