//! Stock: how many pieces there are and how many are held, and where goods must be ordered again.
//!
//! The counters are folded on their own rather than with the domain's state, which knows every single reservation: the row
//! of an item that everybody wants would grow with its buyers.

pub mod query;
mod row;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::{Event, stock};
use event_store::{Recorded, Topic};
use futures::future::BoxFuture;
use sqlx::PgConnection;

use crate::{Error, ReadModel};

/// The read model of stock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stock;

impl Stock {
    /// The name its progress is kept under.
    pub const NAME: &'static str = "stock";
}

impl ReadModel for Stock {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &["stock", "replenishment_alerts"]
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Stock]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { project(connection, events).await })
    }
}

type OfItem<'a> = (&'a str, &'a Recorded, &'a stock::Event);

/// What happens to alerts, in order.
#[derive(Debug, Default)]
struct Alerts {
    raised: Vec<row::Alert>,
    /// Alerts of these items that were raised before this position are done with.
    resolved: Vec<(String, i64, DateTime<Utc>)>,
}

async fn project(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), Error> {
    let of_items: Vec<OfItem<'_>> = events.iter().filter_map(of_item).collect();
    let touched: Vec<&str> =
        of_items.iter().map(|(sku, ..)| *sku).collect::<HashSet<_>>().into_iter().collect();
    if touched.is_empty() {
        return Ok(());
    }
    let mut rows = table::load(connection, &touched).await?;
    let alerts = fold(&mut rows, &of_items)?;
    table::save(connection, &rows.into_values().collect::<Vec<_>>()).await?;
    table::raise(connection, &alerts.raised).await?;
    Ok(table::resolve(connection, &alerts.resolved).await?)
}

fn of_item(recorded: &Recorded) -> Option<OfItem<'_>> {
    match &recorded.event {
        Event::Stock(event) => Some((recorded.stream.key(), recorded, event)),
        _ => None,
    }
}

/// Folds the events of stock items into their rows. What a row has seen already changes nothing.
fn fold(rows: &mut HashMap<String, row::Row>, events: &[OfItem<'_>]) -> Result<Alerts, Error> {
    let mut alerts = Alerts::default();
    for (sku, recorded, event) in events {
        let (version, at) = (recorded.version as i32, recorded.recorded_at);
        let Some(row) = rows.get_mut(*sku) else {
            if let stock::Event::Listed(listed) = event {
                rows.insert((*sku).to_owned(), row::Row::listed(listed, version, at));
            }
            continue;
        };
        if row.version >= version {
            continue;
        }
        let overflow = || Error::Corrupt(format!("more pieces of {sku} than can be counted"));
        row.evolve(event, version, at).ok_or_else(overflow)?;
        let position = i64::from(recorded.position);
        match event {
            stock::Event::ReplenishmentNeeded(needed) => {
                alerts.raised.push(row::Alert::raised(sku, position, needed, at));
            }
            stock::Event::Received(_) | stock::Event::ReorderPointSet(_) => {
                alerts.resolved.push(((*sku).to_owned(), position, at));
            }
            _ => {}
        }
    }
    Ok(alerts)
}
