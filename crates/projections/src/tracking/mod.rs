//! Tracking: the way of an order, each status with the time it was reached, and its shipments.

pub mod query;
mod row;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use domain::{Event, order};
use event_store::{Recorded, Topic};
use futures::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::older::older;
use crate::orders::order_of;
use crate::{Error, ReadModel};

pub use row::{Shipment, Step};

/// The read model of what is on its way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tracking;

impl Tracking {
    /// The name its progress is kept under.
    pub const NAME: &'static str = "tracking";
}

impl ReadModel for Tracking {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &["tracking"]
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Orders]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(project(connection, events).await?) })
    }
}

type OfOrder<'a> = (Uuid, &'a Recorded, &'a order::Event);

async fn project(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let of_orders: Vec<OfOrder<'_>> = events.iter().filter_map(of_order).collect();
    if of_orders.is_empty() {
        return Ok(());
    }
    let older = older(of_orders.iter().map(|(order, recorded, _)| (*order, *recorded)));
    let rows = table::load(connection, &older).await?;
    table::save(connection, &fold(rows, &of_orders)).await
}

fn of_order(recorded: &Recorded) -> Option<OfOrder<'_>> {
    match &recorded.event {
        Event::Order(event) => Some((order_of(recorded)?, recorded, event)),
        _ => None,
    }
}

/// Folds the events of orders into their rows. What a row has seen already changes nothing.
fn fold(mut rows: HashMap<Uuid, row::Row>, events: &[OfOrder<'_>]) -> Vec<row::Row> {
    for (id, recorded, event) in events {
        let (version, at) = (recorded.version as i32, recorded.recorded_at);
        let row = match (rows.remove(id), event) {
            (Some(row), _) if row.version >= version => Some(row),
            (Some(row), event) => Some(row.evolve(event, version, at)),
            (None, order::Event::Placed(placed)) => Some(row::Row::placed(placed, version, at)),
            (None, _) => None,
        };
        if let Some(row) = row {
            rows.insert(*id, row);
        }
    }
    rows.into_values().collect()
}
