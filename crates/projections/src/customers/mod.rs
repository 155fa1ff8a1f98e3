//! Customers: what a person sees as "me". Everything personal is gone as soon as they ask to be forgotten.

pub mod query;
mod row;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use domain::{Event, customer};
use event_store::{Recorded, Topic};
use futures::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, ReadModel};

pub use row::BookEntry;

/// The read model of customers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Customers;

impl Customers {
    /// The name its progress is kept under.
    pub const NAME: &'static str = "customers";
}

impl ReadModel for Customers {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &["customers"]
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Customers]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(project(connection, events).await?) })
    }
}

type OfCustomer<'a> = (Uuid, &'a Recorded, &'a customer::Event);

async fn project(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let of_customers: Vec<OfCustomer<'_>> = events.iter().filter_map(of_customer).collect();
    let touched: Vec<Uuid> =
        of_customers.iter().map(|(customer, ..)| *customer).collect::<HashSet<_>>().into_iter().collect();
    if touched.is_empty() {
        return Ok(());
    }
    let rows = table::load(connection, &touched).await?;
    table::save(connection, &fold(rows, &of_customers)).await
}

/// The customer an event is about. Claims on e-mail addresses have streams of their own and show nothing.
fn of_customer(recorded: &Recorded) -> Option<OfCustomer<'_>> {
    let Event::Customer(event) = &recorded.event else { return None };
    let customer = match event {
        customer::Event::Registered(event) => event.customer_id,
        customer::Event::ProfileChanged(event) => event.customer_id,
        customer::Event::AddressAdded(event) => event.customer_id,
        customer::Event::Forgotten(event) => event.customer_id,
        customer::Event::EmailClaimed(_) | customer::Event::EmailReleased(_) => return None,
    };
    Some((customer.0, recorded, event))
}

/// Folds the events of customers into their rows. What a row has seen already changes nothing.
fn fold(mut rows: HashMap<Uuid, row::Row>, events: &[OfCustomer<'_>]) -> Vec<row::Row> {
    for (id, recorded, event) in events {
        let (version, at) = (recorded.version as i32, recorded.recorded_at);
        let row = match (rows.remove(id), event) {
            (Some(row), _) if row.version >= version => Some(row),
            (Some(row), event) => Some(row.evolve(event, version, at)),
            (None, customer::Event::Registered(event)) => Some(row::Row::registered(event, version, at)),
            (None, _) => None,
        };
        if let Some(row) = row {
            rows.insert(*id, row);
        }
    }
    rows.into_values().collect()
}
