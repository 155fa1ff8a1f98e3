//! Orders: lists, one order, its way and its payment.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::Owner;
use domain::ids::OrderId;
use domain::order::Status;
use http_surface::auth::{Caller, Role};
use http_surface::{PathId, Query};
use projections::orders::query::{Filter, Order, Summary};
use projections::orders::{self, Orders};
use projections::payments::query::Payment;
use projections::payments::{self, Payments};
use projections::tracking::query::Way;
use projections::tracking::{self, Tracking};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::app::App;
use crate::caller;
use crate::conditional;
use crate::consistency::After;
use crate::error::Error;
use crate::page::{self, Page};
use crate::refusals::{Missing, Refusals, Unauthenticated, Unauthorised};

/// The name of this list in its cursors.
const LIST: &str = "orders";

/// Which orders.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// Only with this status.
    #[param(example = "shipped")]
    status: Option<String>,
    /// Placed at this time (RFC 3339) or later.
    from: Option<DateTime<Utc>>,
    /// Placed before this time.
    to: Option<DateTime<Utc>>,
    /// Where the last page ended.
    #[serde(skip_serializing)]
    cursor: Option<String>,
    /// At most so many, 1 to 100; 20 when it is left out.
    #[serde(skip_serializing)]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

impl Asked {
    fn filter(&self, app: &App, owner: Option<Owner>) -> Result<Filter, Error> {
        let unknown =
            |name: &str| Error::Parameter { name: "status", rule: format!("does not know {name:?}") };
        let status = self
            .status
            .as_deref()
            .map(|name| Status::parse(name).ok_or_else(|| unknown(name)))
            .transpose()?;
        let after = page::after(&app.keys, LIST, &(self, owner), self.cursor.as_deref())?;
        Ok(Filter { owner, status, from: self.from, to: self.to, after, limit: page::limit(self.limit)? })
    }
}

/// Orders, newest first: a customer's own, a guest's own, or everybody's for the staff.
#[utoipa::path(
    get, path = "/v1/orders", tag = "orders", params(Asked, After),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Some orders", body = Page<Summary>),
        Refusals, Unauthenticated, Unauthorised,
    ),
)]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(asked): Query<Asked>,
    after: After,
) -> Result<Json<Page<Summary>>, Error> {
    let owner = if caller::is_staff(&caller) { None } else { Some(caller::owner(&caller)?) };
    let filter = asked.filter(&app, owner)?;
    let more = &Filter { limit: filter.limit + 1, ..filter.clone() };
    let list = |read| async move { orders::query::list(&read, more).await };
    let found = app.read(after, &[Orders::NAME], list).await?;
    let cursor =
        |last: &Summary| page::cursor(&app.keys, LIST, &(&asked, owner), (last.placed_at, last.order_id));
    Page::of(found, filter.limit, cursor).map(Json)
}

/// One order.
#[utoipa::path(
    get, path = "/v1/orders/{id}", tag = "orders",
    params(("id" = Uuid, Path, description = "The order"), After, conditional::IfNoneMatch),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The order; `ETag` is its version", body = Order, headers(("ETag" = String))),
        (status = 304, description = "It is at the version of `If-None-Match`"),
        Refusals, Missing, Unauthenticated,
    ),
)]
pub(crate) async fn find(
    State(app): State<App>,
    caller: Caller,
    PathId(order_id): PathId<OrderId>,
    after: After,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let find = |read| async move { orders::query::find(&read, order_id).await };
    let order = app.read(after, &[Orders::NAME], find).await?;
    let order =
        order.filter(|order| caller::may_see(&caller, &order.owner)).ok_or(Error::NotFound("order"))?;
    // A forgotten buyer's order has changed without an event of its own: no cache may go on showing the person.
    let forgotten = order.contact.is_none();
    Ok(if forgotten {
        conditional::fresh(order.version, &order)
    } else {
        conditional::answer(&headers, order.version, &order)
    })
}

/// The way of an order: every status with its time, and its shipments.
#[utoipa::path(
    get, path = "/v1/orders/{id}/tracking", tag = "orders",
    params(("id" = Uuid, Path, description = "The order"), After, conditional::IfNoneMatch),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Its way; `ETag` is the order's version", body = Way, headers(("ETag" = String))),
        (status = 304, description = "It is at the version of `If-None-Match`"),
        Refusals, Missing, Unauthenticated,
    ),
)]
pub(crate) async fn way(
    State(app): State<App>,
    caller: Caller,
    PathId(order_id): PathId<OrderId>,
    after: After,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let find = |read| async move { tracking::query::find(&read, order_id).await };
    let way = app.read(after, &[Tracking::NAME], find).await?;
    let way = way.filter(|way| caller::may_see(&caller, &way.owner)).ok_or(Error::NotFound("order"))?;
    Ok(conditional::answer(&headers, way.version, &way))
}

/// The payment of an order, with every call to the gateway. For the staff.
#[utoipa::path(
    get, path = "/v1/orders/{id}/payment", tag = "orders",
    params(("id" = Uuid, Path, description = "The order"), After, conditional::IfNoneMatch),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Its payment; `ETag` is the payment's version", body = Payment, headers(("ETag" = String))),
        (status = 304, description = "It is at the version of `If-None-Match`"),
        Refusals, Missing, Unauthenticated, Unauthorised,
    ),
)]
pub(crate) async fn payment(
    State(app): State<App>,
    caller: Caller,
    PathId(order_id): PathId<OrderId>,
    after: After,
    headers: HeaderMap,
) -> Result<Response, Error> {
    caller.require(&[Role::Staff])?;
    let find = |read| async move { payments::query::of_order(&read, order_id).await };
    let payment = app.read(after, &[Payments::NAME], find).await?.ok_or(Error::NotFound("order"))?;
    Ok(conditional::answer(&headers, payment.version, &payment))
}
