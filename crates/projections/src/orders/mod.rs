//! Orders: a row per order with its lines, totals and status, and whom to reach while that is known.
//!
//! The status is never worked out here: the domain's own `order::State` is folded beside the row and asked.
//! Contact and address are nulled when their subject asks to be forgotten; a fresh fold, which reads them as forgotten
//! already, ends with the same rows, whichever of the two comes first.

mod build;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::unwrap_used)]
#[cfg_attr(not(test), allow(dead_code))]
pub(crate) mod examples;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::unwrap_used)]
#[cfg_attr(not(test), allow(dead_code))]
pub(crate) mod given;
pub mod query;
mod row;
pub mod schema;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use domain::{Event, customer, notification, order, stock};
use event_store::{Recorded, Topic};
use futures::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::older::older;
use crate::{Error, ReadModel};

pub use row::{Line, Return};
pub(crate) use row::{owner_columns, owner_of};

/// The read model of orders.
#[derive(Debug, Clone, Copy, Default)]
pub struct Orders;

impl Orders {
    /// The name its progress is kept under.
    pub const NAME: &'static str = "orders";
}

impl ReadModel for Orders {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &["orders", "forgotten_buyers", "order_mentions"]
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Orders, Topic::Customers, Topic::Stock, Topic::Notifications]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(project(connection, events).await?) })
    }

    fn types(&self) -> &'static [&'static str] {
        TYPES
    }

    fn build<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(build::build(connection, events).await?) })
    }

    fn indexes_made_later(&self) -> &'static [&'static str] {
        build::INDEXES
    }
}

/// What is folded; of the other topics it is little of what happens there.
const TYPES: &[&str] = &[
    "OrderPlaced",
    "OrderConfirmed",
    "OrderPaymentFailed",
    "OrderCancelled",
    "OrderShipmentSent",
    "OrderShipmentDelivered",
    "OrderReturnRequested",
    "OrderReturnReceived",
    "OrderRefunded",
    "StockReserved",
    "StockReleased",
    "StockShipped",
    "StockRestocked",
    "NotificationRequested",
    "CustomerForgotten",
];

/// What a batch says, sorted by what is to be done with it.
#[derive(Default)]
struct Batch<'a> {
    of_orders: Vec<(Uuid, &'a Recorded, &'a order::Event)>,
    mentions: Vec<(Uuid, i64)>,
    forgotten: Vec<Uuid>,
}

impl<'a> Batch<'a> {
    fn of(events: &'a [Recorded]) -> Self {
        let mut batch = Self::default();
        for recorded in events {
            match &recorded.event {
                Event::Order(event) => {
                    if let Some(order) = order_of(recorded) {
                        batch.of_orders.push((order, recorded, event));
                    }
                }
                Event::Customer(customer::Event::Forgotten(event)) => batch.forgotten.push(event.subject.0),
                event => {
                    if let Some(order) = mentioned(event) {
                        batch.mentions.push((order, recorded.position.0 as i64));
                    }
                }
            }
        }
        batch
    }

    /// Orders that do not begin here.
    fn older(&self) -> Vec<Uuid> {
        older(self.of_orders.iter().map(|(order, recorded, _)| (*order, *recorded)))
    }

    fn subjects(&self) -> Vec<Uuid> {
        let placed = self.of_orders.iter().filter_map(|(.., event)| match event {
            order::Event::Placed(placed) => Some(placed.subject.0),
            _ => None,
        });
        placed.collect()
    }
}

/// The order whose stream an event is in.
pub(crate) fn order_of(recorded: &Recorded) -> Option<Uuid> {
    recorded.stream.key().parse().ok()
}

/// The order that an event of another stream speaks of.
fn mentioned(event: &Event) -> Option<Uuid> {
    let order = match event {
        Event::Stock(stock::Event::Reserved(event)) => event.order_id,
        Event::Stock(stock::Event::Released(event)) => event.order_id,
        Event::Stock(stock::Event::Shipped(event)) => event.order_id,
        Event::Stock(stock::Event::Restocked(event)) => event.order_id,
        Event::Notification(notification::Event::Requested(event)) => event.order_id,
        _ => return None,
    };
    Some(order.0)
}

async fn project(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let batch = Batch::of(events);
    let rows = folded(connection, &batch).await?;
    table::save(connection, &rows).await?;
    table::mention(connection, &batch.mentions).await?;
    table::forget(connection, &batch.forgotten).await
}

/// The rows of a batch's orders as its events leave them, in one order for all, so that no two folds wait for each other.
async fn folded(connection: &mut PgConnection, batch: &Batch<'_>) -> Result<Vec<row::Row>, sqlx::Error> {
    let subjects = batch.subjects();
    table::keep_apart(connection, &subjects, &batch.forgotten).await?;
    if batch.of_orders.is_empty() {
        return Ok(Vec::new());
    }
    let mut forgotten: HashSet<Uuid> = table::forgotten(connection, &subjects).await?.into_iter().collect();
    forgotten.extend(&batch.forgotten);
    let rows = table::load(connection, &batch.older()).await?;
    let mut rows = fold(rows, &batch.of_orders, &forgotten);
    rows.sort_unstable_by_key(|row| row.order_id);
    Ok(rows)
}

/// Folds the events of orders into their rows. What a row has seen already changes nothing.
fn fold(
    mut rows: HashMap<Uuid, row::Row>,
    events: &[(Uuid, &Recorded, &order::Event)],
    forgotten: &HashSet<Uuid>,
) -> Vec<row::Row> {
    for (id, recorded, event) in events {
        let (version, at) = (recorded.version as i32, recorded.recorded_at);
        let row = match (rows.remove(id), event) {
            (Some(row), _) if row.version >= version => Some(row),
            (Some(row), event) => Some(row.evolve(event, version, at)),
            (None, order::Event::Placed(placed)) => {
                Some(row::Row::placed(placed, version, at, forgotten.contains(&placed.subject.0)))
            }
            // The log's first event of an order is its placing; nothing else can begin a row.
            (None, _) => None,
        };
        if let Some(row) = row {
            rows.insert(*id, row);
        }
    }
    rows.into_values().collect()
}
