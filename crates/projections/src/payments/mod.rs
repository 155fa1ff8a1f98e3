//! Payments: amounts, status, and every call to the gateway with how it went. For the staff; holds nothing personal.

pub mod query;
mod row;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use domain::{Event, payment};
use event_store::{Recorded, Topic};
use futures::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::older::older;
use crate::{Error, ReadModel};

pub use row::{Attempt, Outcome};

/// The read model of payments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Payments;

impl Payments {
    /// The name its progress is kept under.
    pub const NAME: &'static str = "payments";
}

impl ReadModel for Payments {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &["payments"]
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Payments]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(project(connection, events).await?) })
    }
}

type OfPayment<'a> = (Uuid, &'a Recorded, &'a payment::Event);

async fn project(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let of_payments: Vec<OfPayment<'_>> = events.iter().filter_map(of_payment).collect();
    if of_payments.is_empty() {
        return Ok(());
    }
    let older = older(of_payments.iter().map(|(payment, recorded, _)| (*payment, *recorded)));
    let rows = table::load(connection, &older).await?;
    table::save(connection, &fold(rows, &of_payments)).await
}

fn of_payment(recorded: &Recorded) -> Option<OfPayment<'_>> {
    match &recorded.event {
        Event::Payment(event) => Some((recorded.stream.key().parse().ok()?, recorded, event)),
        _ => None,
    }
}

/// Folds the events of payments into their rows. What a row has seen already changes nothing.
fn fold(mut rows: HashMap<Uuid, row::Row>, events: &[OfPayment<'_>]) -> Vec<row::Row> {
    for (id, recorded, event) in events {
        let (version, at) = (recorded.version as i32, recorded.recorded_at);
        let row = match (rows.remove(id), event) {
            (Some(row), _) if row.version >= version => Some(row),
            (Some(row), event) => Some(row.evolve(event, version, at)),
            (None, payment::Event::Requested(event)) => Some(row::Row::requested(event, version, at)),
            (None, _) => None,
        };
        if let Some(row) = row {
            rows.insert(*id, row);
        }
    }
    rows.into_values().collect()
}
