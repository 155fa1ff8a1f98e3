//! How many published products there are of what kinds: kept as they change, so that the facets of the whole catalogue, and of a
//! category, are read and not counted, however large it is.

use std::collections::BTreeMap;

use domain::Currency;
use sqlx::PgConnection;

use super::price_ranges;
use super::row::Row;

/// Levels of categories that are counted. Deeper ones are in the counts of those above them.
const LEVELS_MAX: usize = 3;

/// Characters of an attribute's value that is counted. A longer one is prose, and nothing to choose by.
pub const VALUE_CHARACTERS_MAX: usize = 100;

/// One count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    scope: String,
    only_in_stock: bool,
    facet: &'static str,
    name: String,
    value: String,
}

/// What changes in a batch.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<Key, i64>);

/// The scope that a category's products are counted in. `None`: it is too deep to be counted.
pub(super) fn scope(category: &str) -> Option<&str> {
    (category.split('/').count() <= LEVELS_MAX).then_some(category)
}

impl Counts {
    /// It is counted.
    pub(super) fn add(&mut self, row: &Row) {
        self.change(row, 1);
    }

    /// It is no longer counted.
    pub(super) fn take_away(&mut self, row: &Row) {
        self.change(row, -1);
    }

    fn change(&mut self, row: &Row, by: i64) {
        if !row.published {
            return;
        }
        let in_stock = row.available > 0;
        let kinds = kinds(row, in_stock);
        for scope in scopes(&row.category) {
            for only_in_stock in [false, true].into_iter().filter(|only| in_stock || !only) {
                for (facet, name, value) in kinds.clone() {
                    let key = Key { scope: scope.to_owned(), only_in_stock, facet, name, value };
                    *self.0.entry(key).or_default() += by;
                }
            }
        }
    }

    /// Writes the changes. A count of none is no row: a fresh fold, which never saw what is gone, has none either.
    pub(super) async fn save(mut self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.0.retain(|_, by| *by != 0);
        if self.0.is_empty() {
            return Ok(());
        }
        let keys: Vec<&Key> = self.0.keys().collect();
        sqlx::query(
            "INSERT INTO product_counts (scope, only_in_stock, facet, name, value, products) \
             SELECT * FROM UNNEST($1::text[], $2::bool[], $3::text[], $4::text[], $5::text[], $6::bigint[]) \
             ON CONFLICT (scope, only_in_stock, facet, name, value) \
             DO UPDATE SET products = product_counts.products + excluded.products",
        )
        .bind(keys.iter().map(|key| key.scope.as_str()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.only_in_stock).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.facet).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.value.as_str()).collect::<Vec<_>>())
        .bind(self.0.values().copied().collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
        let fewer: Vec<&Key> = self.0.iter().filter(|(_, by)| **by < 0).map(|(key, _)| key).collect();
        clear(connection, &fewer).await
    }
}

async fn clear(connection: &mut PgConnection, keys: &[&Key]) -> Result<(), sqlx::Error> {
    if keys.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM product_counts counted USING \
         UNNEST($1::text[], $2::bool[], $3::text[], $4::text[], $5::text[]) \
         AS fewer (scope, only_in_stock, facet, name, value) \
         WHERE counted.scope = fewer.scope AND counted.only_in_stock = fewer.only_in_stock \
         AND counted.facet = fewer.facet AND counted.name = fewer.name AND counted.value = fewer.value \
         AND counted.products = 0",
    )
    .bind(keys.iter().map(|key| key.scope.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.only_in_stock).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.facet).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.value.as_str()).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Where a product of that category is counted: in all, and in the categories above and at it.
fn scopes(category: &str) -> Vec<&str> {
    std::iter::once("").chain(levels(category).take(LEVELS_MAX)).collect()
}

/// A category and those above it, the highest first: `shoes`, `shoes/running`.
pub fn levels(category: &str) -> impl Iterator<Item = &str> {
    let above = category.match_indices('/').map(|(end, _)| &category[..end]);
    above.filter(|category| !category.is_empty()).chain([category])
}

/// Facet, name and value of all that a product is counted as.
fn kinds(row: &Row, in_stock: bool) -> Vec<(&'static str, String, String)> {
    let mut kinds = vec![
        ("total", String::new(), String::new()),
        ("category", String::new(), row.category.clone()),
        ("in_stock", String::new(), in_stock.to_string()),
    ];
    kinds.extend(row.brand.iter().map(|brand| ("brand", String::new(), brand.clone())));
    kinds.extend(row.prices.iter().filter_map(|(code, amount)| {
        let number = price_ranges::number(*amount, Currency::parse(code).ok()?);
        Some(("price_range", code.clone(), number.to_string()))
    }));
    let short = row.attributes.iter().filter(|(_, value)| value.chars().count() <= VALUE_CHARACTERS_MAX);
    kinds.extend(short.map(|(name, value)| ("attribute", name.clone(), value.clone())));
    kinds
}
