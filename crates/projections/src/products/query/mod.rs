//! How products are asked for: search and lists, one product, what belongs together, and words to search for.

mod conditions;
mod facets;
mod finder;
mod highlight;
mod hits;
mod product;
mod related;
mod suggest;
mod terms;

use chrono::{DateTime, Utc};
use domain::Currency;
use domain::text::Locale;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use facets::{ATTRIBUTE_VALUES_MAX, Facets, PriceCount, StockCount, VALUES_MAX, ValueCount};
pub use finder::{Finder, Unanswered};
pub use hits::{Hit, Listed};
pub use product::{Product, find};
pub use related::recommendations;
pub use suggest::{GROUPS_MAX, Group, Suggested, Suggestion, gather, suggest};
pub use terms::Terms;

pub use super::counts::{VALUE_CHARACTERS_MAX, levels};
pub use super::fold::{fold, sort_name, sort_names};
pub use super::price_ranges::{bounds as price_bounds, range as price_range};
use crate::Reads;

/// In what order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// What fits best first: the name itself, names that begin with it, names that hold it, then brand, category and SKU;
    /// among equals what is bought most, then the newest.
    Relevance,
    /// Newest first.
    Newest,
    /// Cheapest first, in the currency that is asked for.
    PriceAsc,
    /// Dearest first.
    PriceDesc,
    /// By name, in the language that is asked for.
    Name,
}

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// Words that must all occur, each anywhere in a name of any language, in the brand, the category or the SKU.
    pub q: Option<String>,
    /// In this category and those below it: `shoes` holds `shoes/running`.
    pub category: Option<String>,
    /// Of this brand.
    pub brand: Option<String>,
    /// That costs at least this, in minor units of `currency`.
    pub price_min: Option<i64>,
    /// That costs at most this.
    pub price_max: Option<i64>,
    /// Only what can be bought now (`true`), or only what is sold out (`false`).
    pub in_stock: Option<bool>,
    /// In what order. `None`: by relevance when there is a `q`, else newest first.
    pub sort: Option<Sort>,
    /// The language of names.
    pub locale: Locale,
    /// The currency of prices. What has no price in it is left out only where prices matter: by a filter or a sort of them.
    pub currency: Currency,
    /// What follows this.
    pub after: Option<Key>,
    /// At most so many.
    pub limit: u32,
}

/// Where a page ended: all that anything is sorted by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// How well the last one fits, 4 is best; sorted by with relevance.
    pub score: i32,
    /// In how many orders it was bought.
    pub bought: i64,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Its price.
    pub amount: Option<i64>,
    /// Its name as it is sorted.
    pub name: String,
    /// The last one.
    pub product_id: Uuid,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Some of it.
    pub hits: Vec<Hit>,
    /// Where these end, when there are more.
    pub next: Option<Key>,
    /// How many there are, and of what kinds.
    pub facets: Facets,
}

impl Search {
    /// Everything there is, newest first.
    pub fn all(locale: Locale, currency: Currency, limit: u32) -> Self {
        Self {
            q: None,
            category: None,
            brand: None,
            price_min: None,
            price_max: None,
            in_stock: None,
            sort: None,
            locale,
            currency,
            after: None,
            limit,
        }
    }

    /// The order that is asked for, with these words.
    pub fn order(&self, terms: Option<&Terms>) -> Sort {
        self.sort.unwrap_or(if terms.is_some() { Sort::Relevance } else { Sort::Newest })
    }
}

/// Searches: the hits and the facets are asked for at the same time.
pub async fn search(pool: impl Reads<'_>, search: &Search) -> Result<Found, sqlx::Error> {
    let terms = search.q.as_deref().and_then(Terms::parse);
    let terms = terms.as_ref();
    let (hits, facets) =
        tokio::try_join!(hits::list(pool, search, terms), facets::count(pool, search, terms))?;
    Ok(Found::page(search, terms, hits, facets))
}

/// Searches for a page, when what kinds of products there are is known already.
pub async fn page(pool: impl Reads<'_>, search: &Search, facets: Facets) -> Result<Found, sqlx::Error> {
    let terms = search.q.as_deref().and_then(Terms::parse);
    let hits = hits::list(pool, search, terms.as_ref()).await?;
    Ok(Found::page(search, terms.as_ref(), hits, facets))
}

impl Found {
    /// A page of what was listed, one more than its limit being asked for: if it is there, others follow.
    pub fn page(search: &Search, terms: Option<&Terms>, mut listed: Vec<Listed>, facets: Facets) -> Self {
        let limit = search.limit as usize;
        let more = listed.len() > limit;
        listed.truncate(limit);
        let next = if more { listed.last().map(Listed::key) } else { None };
        let hits = listed.into_iter().map(|hit| hit.shown(&search.locale, search.currency, terms)).collect();
        Self { hits, next, facets }
    }
}
