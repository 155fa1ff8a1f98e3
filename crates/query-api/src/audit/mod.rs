//! `GET /v1/audit/orders/{id}`: the whole history of an order, with proof that it is whole.

mod canonical;
mod history;
mod proof;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use domain::Category;
use domain::ids::OrderId;
use event_store::{Head, Raw};
use http_surface::PathId;
use http_surface::auth::{Caller, Role};
use projections::orders::{self, Orders};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::consistency::After;
use crate::error::Error;
use crate::events::Shown;
use crate::refusals::{Missing, Refusals, Unauthenticated, Unauthorised};
use history::History;
use proof::{Proof, Stream};

/// The history of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderAudit)]
pub(crate) struct Audit {
    order_id: Uuid,
    /// Up to where in the log this is the whole history.
    log: LogPosition,
    /// Every event of the order, its payment, its cart and its notices, and of the stock items those about this order, in
    /// the order in which they happened; each as `RecordedEvent` with its `hash`. Personal data stays sealed.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Value>,
    proof: Proof,
}

/// A place in a history of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LogPosition {
    /// Which history of the log.
    epoch: Uuid,
    /// The last position that was looked at.
    position: u64,
}

/// Every event of an order, with actor, cause and proof.
#[utoipa::path(
    get, path = "/v1/audit/orders/{id}", tag = "log",
    params(("id" = Uuid, Path, description = "The order"), After),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The history", body = Audit),
        Refusals, Missing, Unauthenticated, Unauthorised,
    ),
)]
pub(crate) async fn order(
    State(app): State<App>,
    caller: Caller,
    PathId(order_id): PathId<OrderId>,
    after: After,
) -> Result<Json<Audit>, Error> {
    caller.require(&[Role::Auditor])?;
    after.logged(&app).await?;
    // The whole history up to where the log is now: so the index of mentions must have come as far.
    let head = app.store.head().await?;
    let find = |read| async move { orders::query::mentions(&read, order_id).await };
    let mentions = app.read(After::everything_to(head), &[Orders::NAME], find).await?;
    let history = history::gather(&app.store, order_id, head.position, &mentions).await?;
    let history = history.ok_or(Error::NotFound("order"))?;
    audit(order_id, &head, &history).map(Json).map_err(|error| Error::Unreadable(error.to_string()))
}

fn audit(order_id: OrderId, head: &Head, history: &History) -> Result<Audit, serde_json::Error> {
    let start = proof::start(&order_id.to_string());
    let mut end = start.clone();
    let mut events = Vec::with_capacity(history.len());
    for raw in history.values() {
        let mut event = serde_json::to_value(Shown::from(raw))?;
        end = proof::next(&end, &event);
        event["hash"] = Value::from(end.as_str());
        events.push(event);
    }
    let streams = streams(history.values());
    let complete = streams.iter().all(|stream| stream.contiguous != Some(false));
    let proof = Proof { method: proof::METHOD, start, end, count: events.len(), streams, complete };
    let log = LogPosition { epoch: head.epoch, position: head.position.0 };
    Ok(Audit { order_id: order_id.0, log, events, proof })
}

fn streams<'a>(events: impl Iterator<Item = &'a Raw>) -> Vec<Stream> {
    let mut versions: BTreeMap<&str, (bool, Vec<u32>)> = BTreeMap::new();
    for raw in events {
        let whole = raw.stream.category() != Category::Stock;
        versions.entry(raw.stream.as_str()).or_insert((whole, Vec::new())).1.push(raw.version);
    }
    versions.into_iter().map(|(name, (whole, versions))| stream(name, whole, &versions)).collect()
}

fn stream(name: &str, whole: bool, versions: &[u32]) -> Stream {
    Stream {
        stream: name.to_owned(),
        whole,
        first_version: versions.first().copied().unwrap_or(0),
        last_version: versions.last().copied().unwrap_or(0),
        count: versions.len(),
        contiguous: whole.then(|| versions.iter().copied().eq(1..=versions.len() as u32)),
    }
}
