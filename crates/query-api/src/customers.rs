//! `GET /v1/customers/me`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use domain::Actor;
use http_surface::Problem;
use http_surface::auth::Caller;
use projections::customers::Customers;
use projections::customers::query::{self, Customer};

use crate::app::App;
use crate::conditional::{self, IfNoneMatch};
use crate::consistency::After;
use crate::error::Error;
use crate::refusals::{Missing, Refusals, Unauthenticated, Unauthorised};

/// The signed-in customer: profile and address book.
#[utoipa::path(
    get, path = "/v1/customers/me", tag = "customers", params(After, IfNoneMatch),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The customer; `ETag` is the version", body = Customer, headers(("ETag" = String))),
        (status = 304, description = "It is at the version of `If-None-Match`"),
        Refusals, Missing, Unauthenticated, Unauthorised,
    ),
)]
pub(crate) async fn me(
    State(app): State<App>,
    caller: Caller,
    after: After,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let Actor::Customer(id) = caller.actor() else {
        return Err(Problem::forbidden("this is for customers only").into());
    };
    let found =
        app.read(after, &[Customers::NAME], |read| async move { query::find(&read, id).await }).await?;
    let customer = found.ok_or(Error::NotFound("customer"))?;
    Ok(conditional::answer(&headers, customer.version, &customer))
}
