//! What is bought, and with what: counted when an order is placed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::order::Placed;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ahead, queue, table};

/// Only so many lines of an order make pairs, the first ones: pairs grow with the square of the lines, and an order of hundreds
/// of lines, a retailer's own, says little of what goes together. All lines count in `bought`.
const PAIRED_LINES_MAX: usize = 50;

/// Counts these orders, those that are not counted yet.
pub(super) async fn count(connection: &mut PgConnection, placed: &[&Placed]) -> Result<(), sqlx::Error> {
    if placed.is_empty() {
        return Ok(());
    }
    let orders: BTreeSet<Uuid> = placed.iter().map(|placed| placed.order_id.0).collect();
    let orders: Vec<Uuid> = orders.into_iter().collect();
    let new: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO counted_orders (order_id) SELECT UNNEST($1::uuid[]) ON CONFLICT DO NOTHING RETURNING order_id",
    )
    .bind(orders)
    .fetch_all(&mut *connection)
    .await?;
    let new: HashSet<Uuid> = new.into_iter().collect();
    let mut counts = Counts::default();
    placed.iter().filter(|placed| new.contains(&placed.order_id.0)).for_each(|placed| counts.add(placed));
    counts.save(connection).await
}

/// These products are not there: so often they are bought once they are.
async fn wait(connection: &mut PgConnection, orders: &BTreeMap<Uuid, i64>) -> Result<(), sqlx::Error> {
    if orders.is_empty() {
        return Ok(());
    }
    ahead::bought(connection, orders).await?;
    let products: Vec<Uuid> = orders.keys().copied().collect();
    // Those that came in another lane until now did not see this.
    if table::lock(connection, &products, &[]).await?.is_empty() {
        return Ok(());
    }
    let come: Vec<Uuid> = sqlx::query_scalar("SELECT product_id FROM products WHERE product_id = ANY($1)")
        .bind(products)
        .fetch_all(&mut *connection)
        .await?;
    ahead::move_bought(connection, &come).await
}

#[derive(Default)]
struct Counts {
    bought: BTreeMap<Uuid, i64>,
    pairs: BTreeMap<(Uuid, Uuid), i64>,
}

impl Counts {
    fn add(&mut self, placed: &Placed) {
        let products: BTreeSet<Uuid> = placed.lines.iter().map(|line| line.product_id.0).collect();
        for product in products {
            *self.bought.entry(product).or_default() += 1;
        }
        let paired: BTreeSet<Uuid> =
            placed.lines.iter().take(PAIRED_LINES_MAX).map(|line| line.product_id.0).collect();
        for (index, low) in paired.iter().enumerate() {
            for high in paired.iter().skip(index + 1) {
                *self.pairs.entry((*low, *high)).or_default() += 1;
            }
        }
    }

    async fn save(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let (products, orders): (Vec<Uuid>, Vec<i64>) = self.bought.iter().unzip();
        let there: HashSet<Uuid> = sqlx::query_scalar(
            "UPDATE products SET bought = products.bought + new.orders \
             FROM UNNEST($1::uuid[], $2::bigint[]) AS new (product_id, orders) \
             WHERE products.product_id = new.product_id RETURNING products.product_id",
        )
        .bind(products)
        .bind(orders)
        .fetch_all(&mut *connection)
        .await?
        .into_iter()
        .collect();
        queue::add(connection, &there.iter().copied().collect::<Vec<_>>()).await?;
        let mut ahead = self.bought.clone();
        ahead.retain(|product, _| !there.contains(product));
        wait(connection, &ahead).await?;
        self.save_pairs(connection).await
    }

    async fn save_pairs(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        let (ids, orders): (Vec<(Uuid, Uuid)>, Vec<i64>) = self.pairs.iter().unzip();
        let (low, high): (Vec<Uuid>, Vec<Uuid>) = ids.into_iter().unzip();
        sqlx::query(
            "INSERT INTO product_pairs (low_id, high_id, orders) \
             SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::bigint[]) \
             ON CONFLICT (low_id, high_id) DO UPDATE SET orders = product_pairs.orders + excluded.orders",
        )
        .bind(low)
        .bind(high)
        .bind(orders)
        .execute(connection)
        .await?;
        Ok(())
    }
}
