//! Products: what is in the catalogue, how it is searched, how much of it can be bought, and what is bought with it.
//!
//! Three kinds of events meet in a row: the product's own, those of its stock item (`available`), and orders, which count how
//! often it is bought (`bought`) and with what (`product_pairs`). An order that is called off later stays counted: somebody
//! wanted these things together.

mod bought;
mod counts;
mod fold;
mod price_ranges;
pub mod query;
mod row;
mod stock;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use domain::{Event, order, product};
use event_store::Recorded;
use futures::future::BoxFuture;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, ReadModel};

/// The read model of products, and of search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Products;

impl Products {
    /// The name its progress is kept under.
    pub const NAME: &'static str = "products";
}

impl ReadModel for Products {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn tables(&self) -> &'static [&'static str] {
        &["products", "product_texts", "product_counts", "product_pairs", "counted_orders"]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(project(connection, events).await?) })
    }
}

/// What a batch says, sorted by what is to be done with it.
#[derive(Default)]
struct Batch<'a> {
    of_products: Vec<(Uuid, &'a Recorded, &'a product::Event)>,
    of_stock: Vec<(&'a Recorded, &'a domain::stock::Event)>,
    placed: Vec<&'a order::Placed>,
}

impl<'a> Batch<'a> {
    fn of(events: &'a [Recorded]) -> Self {
        let mut batch = Self::default();
        for recorded in events {
            match &recorded.event {
                Event::Product(event) => {
                    if let Ok(product) = recorded.stream.key().parse() {
                        batch.of_products.push((product, recorded, event));
                    }
                }
                Event::Stock(event) => batch.of_stock.push((recorded, event)),
                Event::Order(order::Event::Placed(placed)) => batch.placed.push(placed),
                _ => {}
            }
        }
        batch
    }

    fn products(&self) -> Vec<Uuid> {
        self.of_products.iter().map(|(product, ..)| *product).collect::<HashSet<_>>().into_iter().collect()
    }
}

async fn project(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let batch = Batch::of(events);
    let mut counts = counts::Counts::default();
    let touched = batch.products();
    if !touched.is_empty() {
        let before = table::load(connection, &touched).await?;
        let after = fold(before.clone(), &batch.of_products);
        after.iter().filter_map(|row| before.get(&row.product_id)).for_each(|row| counts.take_away(row));
        after.iter().for_each(|row| counts.add(row));
        table::save(connection, &after).await?;
    }
    // A product is added before its SKU is listed, so the rows of these stock items are there by now.
    stock::apply(connection, &batch.of_stock, &mut counts).await?;
    counts.save(connection).await?;
    bought::count(connection, &batch.placed).await
}

/// Folds the events of products into their rows: those that change. What a row has seen already changes nothing.
fn fold(mut rows: HashMap<Uuid, row::Row>, events: &[(Uuid, &Recorded, &product::Event)]) -> Vec<row::Row> {
    let mut changed = HashSet::new();
    for (id, recorded, event) in events {
        let (version, at) = (recorded.version as i32, recorded.recorded_at);
        let row = match (rows.remove(id), event) {
            (Some(row), _) if row.version >= version => row,
            (Some(row), event) => {
                changed.insert(*id);
                row.evolve(event, version, at)
            }
            (None, product::Event::Created(created)) => {
                changed.insert(*id);
                row::Row::created(created, version, at)
            }
            // The log's first event of a product is its adding; nothing else can begin a row.
            (None, _) => continue,
        };
        rows.insert(*id, row);
    }
    rows.into_values().filter(|row| changed.contains(&row.product_id)).collect()
}
