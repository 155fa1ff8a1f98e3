//! Carts: what is in each, and how many. Prices are never kept here: a cart shows what its items cost today.

pub mod query;
mod row;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use domain::{Event, cart};
use event_store::{Recorded, Topic};
use futures::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::older::older;
use crate::{Error, ReadModel};

/// The read model of carts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Carts;

impl Carts {
    /// The name its progress is kept under.
    pub const NAME: &'static str = "carts";
}

impl ReadModel for Carts {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &["carts"]
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Carts]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(project(connection, events).await?) })
    }
}

type OfCart<'a> = (Uuid, &'a Recorded, &'a cart::Event);

async fn project(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let of_carts: Vec<OfCart<'_>> = events.iter().filter_map(of_cart).collect();
    if of_carts.is_empty() {
        return Ok(());
    }
    let older = older(of_carts.iter().map(|(cart, recorded, _)| (*cart, *recorded)));
    let rows = table::load(connection, &older).await?;
    table::save(connection, &fold(rows, &of_carts)).await
}

fn of_cart(recorded: &Recorded) -> Option<OfCart<'_>> {
    match &recorded.event {
        Event::Cart(event) => Some((recorded.stream.key().parse().ok()?, recorded, event)),
        _ => None,
    }
}

/// Folds the events of carts into their rows. What a row has seen already changes nothing.
fn fold(mut rows: HashMap<Uuid, row::Row>, events: &[OfCart<'_>]) -> Vec<row::Row> {
    for (id, recorded, event) in events {
        let (version, at) = (recorded.version as i32, recorded.recorded_at);
        let row = match (rows.remove(id), event) {
            (Some(row), _) if row.version >= version => Some(row),
            (Some(row), event) => Some(row.evolve(event, version, at)),
            (None, cart::Event::Opened(opened)) => Some(row::Row::opened(opened, version, at)),
            (None, _) => None,
        };
        if let Some(row) = row {
            rows.insert(*id, row);
        }
    }
    rows.into_values().collect()
}
