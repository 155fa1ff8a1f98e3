//! Products: what is in the catalogue, how it is searched, how much of it can be bought, and what is bought with it.
//!
//! Three kinds of events meet in a row: the product's own, those of its stock item (`available`), and orders, which count how
//! often it is bought (`bought`) and with what (`product_pairs`). An order that is called off later stays counted: somebody
//! wanted these things together. These kinds come in lanes of their own: see [`ahead`] for what comes before its product.

mod ahead;
mod bought;
mod counts;
mod fold;
mod price_ranges;
pub mod query;
mod queue;
mod row;
mod source;
mod stock;
mod table;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::unwrap_used)]
pub mod testing;
#[cfg(test)]
mod tests;

pub use queue::{queue_all, search_reached};
pub use source::{Source, sources, sources_after};

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{Event, order, product};
use event_store::{Recorded, Topic};
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
        &[
            "products",
            "product_texts",
            "product_counts",
            "product_pairs",
            "counted_orders",
            "stock_ahead",
            "bought_ahead",
        ]
    }

    fn version(&self) -> i32 {
        2
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::Catalog, Topic::Stock, Topic::Orders]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(project(connection, events).await?) })
    }

    fn swapped_in<'a>(&'a self, connection: &'a mut PgConnection) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { Ok(queue_all(connection).await?) })
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

    /// Locks all rows that it may change.
    async fn lock(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let bought = self.placed.iter().flat_map(|placed| placed.lines.iter().map(|line| line.product_id.0));
        let products: HashSet<Uuid> = bought.chain(self.products()).collect();
        let skus: HashSet<&str> = self.of_stock.iter().map(|(recorded, _)| recorded.stream.key()).collect();
        let (products, skus): (Vec<_>, Vec<_>) = (products.into_iter().collect(), skus.into_iter().collect());
        table::lock(connection, &products, &skus).await.map(drop)
    }
}

async fn project(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let batch = Batch::of(events);
    let mut counts = counts::Counts::default();
    batch.lock(connection).await?;
    let touched = batch.products();
    if !touched.is_empty() {
        let before = table::load(connection, &touched).await?;
        let after = fold(before.clone(), &batch.of_products);
        after.iter().filter_map(|row| before.get(&row.product_id)).for_each(|row| counts.take_away(row));
        after.iter().for_each(|row| counts.add(row));
        table::save(connection, &after).await?;
        queue::add(connection, &after.iter().map(|row| row.product_id).collect::<Vec<_>>()).await?;
        let added = after.iter().filter(|row| !before.contains_key(&row.product_id)).collect();
        claim(connection, added, &mut counts).await?;
    }
    stock::apply(connection, &batch.of_stock, &mut counts).await?;
    counts.save(connection).await?;
    bought::count(connection, &batch.placed).await
}

/// What is ahead of these products, which were just added, is theirs.
async fn claim(
    connection: &mut PgConnection,
    mut added: Vec<&row::Row>,
    counts: &mut counts::Counts,
) -> Result<(), sqlx::Error> {
    if added.is_empty() {
        return Ok(());
    }
    added.sort_unstable_by(|one, other| one.sku.cmp(&other.sku));
    let skus: Vec<&str> = added.iter().map(|row| row.sku.as_str()).collect();
    ahead::stock(connection, &skus).await?;
    stock::claim(connection, &skus, counts).await?;
    let products: BTreeMap<Uuid, i64> = added.iter().map(|row| (row.product_id, 0)).collect();
    ahead::bought(connection, &products).await?;
    ahead::move_bought(connection, &products.into_keys().collect::<Vec<_>>()).await
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
