//! What goes with a product.

use domain::Currency;
use domain::ids::ProductId;
use domain::text::Locale;
use sqlx::QueryBuilder;

use super::hits::{Hit, Listed, push_columns};
use crate::Reads;

/// What is bought with a product, most often first; then what else its category has, what is bought most first. Only what is
/// published. Nothing for a product that does not exist.
pub async fn recommendations(
    pool: impl Reads<'_>,
    product_id: ProductId,
    locale: &Locale,
    currency: Currency,
    limit: u32,
) -> Result<Vec<Hit>, sqlx::Error> {
    let (together, alike) = tokio::try_join!(
        bought_together(pool, product_id, locale, currency, limit),
        of_same_category(pool, product_id, locale, currency, limit),
    )?;
    let mut all = together;
    let others = alike.into_iter().filter(|alike| {
        let known = |other: &Listed| other.product_id() == alike.product_id();
        !all.iter().any(known)
    });
    let others: Vec<Listed> = others.collect();
    all.extend(others);
    all.truncate(limit as usize);
    Ok(all.into_iter().map(|hit| hit.shown(locale, currency, None)).collect())
}

async fn bought_together(
    pool: impl Reads<'_>,
    product_id: ProductId,
    locale: &Locale,
    currency: Currency,
    limit: u32,
) -> Result<Vec<Listed>, sqlx::Error> {
    let mut sql = QueryBuilder::new("");
    push_columns(&mut sql, locale, currency, None);
    sql.push(" FROM (SELECT high_id AS product_id, orders FROM product_pairs WHERE low_id = ");
    sql.push_bind(product_id.0);
    sql.push(" UNION ALL SELECT low_id, orders FROM product_pairs WHERE high_id = ").push_bind(product_id.0);
    sql.push(
        ") pair JOIN products p USING (product_id) WHERE p.published \
         ORDER BY pair.orders DESC, p.bought DESC, p.created_at DESC, p.product_id DESC LIMIT ",
    );
    sql.push_bind(i64::from(limit)).build_query_as().fetch_all(pool).await
}

async fn of_same_category(
    pool: impl Reads<'_>,
    product_id: ProductId,
    locale: &Locale,
    currency: Currency,
    limit: u32,
) -> Result<Vec<Listed>, sqlx::Error> {
    let mut sql = QueryBuilder::new("");
    push_columns(&mut sql, locale, currency, None);
    sql.push(" FROM products p WHERE p.published AND p.product_id <> ").push_bind(product_id.0);
    sql.push(" AND p.category = (SELECT category FROM products WHERE product_id = ").push_bind(product_id.0);
    sql.push(") ORDER BY p.bought DESC, p.created_at DESC, p.product_id DESC LIMIT ");
    sql.push_bind(i64::from(limit)).build_query_as().fetch_all(pool).await
}
