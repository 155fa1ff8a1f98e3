//! What kinds of products were found, and how many of each. A facet leaves its own filter out: who has chosen a brand still
//! sees how many there are of the others.
//!
//! What nothing but a category and stock narrows is read from the counts that the projection keeps ([`kept`]); the rest is
//! counted among what is found ([`found`]). All in one query.

mod found;
mod kept;

use std::collections::BTreeMap;

use domain::Currency;
use serde::Serialize;
use sqlx::QueryBuilder;
use utoipa::ToSchema;

use super::Search;
use super::conditions::Filter;
use super::terms::Terms;
use crate::Reads;
use crate::products::counts::levels;
use crate::products::price_ranges;

/// Values of one facet.
pub const VALUES_MAX: usize = 50;
/// Attributes that are counted: those that most products have.
const ATTRIBUTES_MAX: usize = 20;
/// Values of one attribute.
pub const ATTRIBUTE_VALUES_MAX: i64 = 10;

/// How many products have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// Products that have it.
    pub count: i64,
}

/// How many products cost so much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceCount {
    /// At least this, in minor units. `null`: anything.
    pub min: Option<i64>,
    /// At most this. `null`: anything.
    pub max: Option<i64>,
    /// Products that do.
    pub count: i64,
}

/// How many products can be bought now, or are sold out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StockCount {
    /// Whether they can be bought.
    pub value: bool,
    /// So many.
    pub count: i64,
}

/// How many products of what kinds were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default, ToSchema)]
pub struct Facets {
    /// All that were found.
    #[serde(skip)]
    pub total: i64,
    /// By category, what is below a category included: most first.
    pub category: Vec<ValueCount>,
    /// By brand: most first.
    pub brand: Vec<ValueCount>,
    /// By price in the currency that was asked for: cheapest first.
    pub price: Vec<PriceCount>,
    /// By whether they can be bought now.
    pub in_stock: Vec<StockCount>,
    /// By attribute and its value: the attributes that most have, and of each the values that most have.
    pub attributes: BTreeMap<String, Vec<ValueCount>>,
}

/// What is counted. All but the last two have a filter of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Facet {
    Of(Filter),
    Total,
    Attributes,
}

impl Facet {
    const ALL: [Self; 6] = [
        Self::Of(Filter::Category),
        Self::Of(Filter::Brand),
        Self::Of(Filter::Price),
        Self::Of(Filter::Stock),
        Self::Total,
        Self::Attributes,
    ];

    /// Its name where it is counted.
    fn name(self) -> &'static str {
        match self {
            Self::Of(filter) => filter.column(),
            Self::Total => "total",
            Self::Attributes => "attribute",
        }
    }

    /// The filter that it leaves out.
    fn own(self) -> Option<Filter> {
        match self {
            Self::Of(filter) => Some(filter),
            Self::Total | Self::Attributes => None,
        }
    }
}

/// One count: which facet, the attribute's name, the value, how many.
type Counted = (String, Option<String>, Option<String>, i64);

/// All counts as one row of columns: a hundred rows, each taken apart on its own, cost more than counting them.
type Columns = (Vec<String>, Vec<Option<String>>, Vec<Option<String>>, Vec<i64>);

/// Counts all facets.
pub(super) async fn count(
    pool: impl Reads<'_>,
    search: &Search,
    terms: Option<&Terms>,
) -> Result<Facets, sqlx::Error> {
    let unsorted = Search { sort: None, ..search.clone() };
    let search = if sort_matters(pool, search).await? { search } else { &unsorted };
    let (kept, found): (Vec<_>, Vec<_>) =
        Facet::ALL.into_iter().partition(|facet| kept::place(search, terms, *facet).is_some());
    let mut sql = QueryBuilder::new("");
    found::push_what(&mut sql, search, terms, &found);
    sql.push(
        "SELECT COALESCE(array_agg(facet), '{}'), COALESCE(array_agg(name), '{}'), COALESCE(array_agg(value), '{}'), \
         COALESCE(array_agg(products), '{}') FROM (",
    );
    kept::push(&mut sql, search, terms, &kept);
    if !kept.is_empty() && !found.is_empty() {
        sql.push(" UNION ALL ");
    }
    found::push(&mut sql, search, terms, &found);
    sql.push(") counted (facet, name, value, products)");
    let columns: Columns = sql.build_query_as().fetch_one(pool).await?;
    Ok(facets(rows(columns), search.currency))
}

fn rows((facets, names, values, counts): Columns) -> impl Iterator<Item = Counted> {
    let named = facets.into_iter().zip(names);
    named.zip(values).zip(counts).map(|(((facet, name), value), count)| (facet, name, value, count))
}

/// Whether the order leaves something out that the filters let pass: only when prices decide it, and something has none.
async fn sort_matters(pool: impl Reads<'_>, search: &Search) -> Result<bool, sqlx::Error> {
    let may_matter = search.sorts_prices() && !search.filters(Filter::Price);
    Ok(may_matter && !kept::all_priced(pool, search.currency).await?)
}

fn facets(counted: impl Iterator<Item = Counted>, currency: Currency) -> Facets {
    let mut facets = Facets::default();
    let mut categories = BTreeMap::new();
    for (facet, name, value, count) in counted {
        match (facet.as_str(), name, value) {
            ("total", ..) => facets.total = count,
            ("category", _, Some(value)) => add_up(&mut categories, &value, count),
            ("brand", _, Some(value)) => facets.brand.push(ValueCount { value, count }),
            ("price_range", _, Some(value)) => facets.price.extend(range(&value, count, currency)),
            ("in_stock", _, Some(value)) => {
                facets.in_stock.push(StockCount { value: value == "true", count })
            }
            ("attribute", Some(name), Some(value)) => {
                facets.attributes.entry(name).or_default().push(ValueCount { value, count });
            }
            _ => {}
        }
    }
    facets.category = categories.into_iter().map(|(value, count)| ValueCount { value, count }).collect();
    facets.in_order()
}

/// Adds a category's count to those above it, too: `shoes/running` is in `shoes`.
fn add_up(categories: &mut BTreeMap<String, i64>, category: &str, count: i64) {
    for category in levels(category) {
        *categories.entry(category.to_owned()).or_default() += count;
    }
}

fn range(number: &str, count: i64, currency: Currency) -> Option<PriceCount> {
    let (min, max) = price_ranges::range(number.parse().ok()?, currency);
    Some(PriceCount { min, max, count })
}

impl Facets {
    /// The same in order, no more of each than is shown.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        for values in [&mut self.category, &mut self.brand].into_iter().chain(self.attributes.values_mut()) {
            values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
            values.truncate(VALUES_MAX);
        }
        self.price.sort_by_key(|range| range.min);
        self.in_stock.sort_by_key(|stock| !stock.value);
        let held = |values: &[ValueCount]| values.iter().map(|value| value.count).sum::<i64>();
        let mut most: Vec<i64> = self.attributes.values().map(|values| held(values)).collect();
        most.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(too_few) = most.get(ATTRIBUTES_MAX) {
            self.attributes.retain(|_, values| held(values) > *too_few);
        }
        self
    }
}
