//! How products are asked for: search and lists, one product, what belongs together, and words to search for.

mod conditions;
mod facets;
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
use sqlx::PgPool;
use uuid::Uuid;

pub use facets::{Facets, PriceCount, StockCount, ValueCount};
pub use hits::Hit;
pub use product::{Product, find};
pub use related::recommendations;
pub use suggest::{Suggested, Suggestion, suggest};

use terms::Terms;

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
    score: i32,
    bought: i64,
    created_at: DateTime<Utc>,
    amount: Option<i64>,
    name: String,
    product_id: Uuid,
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

    fn order(&self, terms: Option<&Terms>) -> Sort {
        self.sort.unwrap_or(if terms.is_some() { Sort::Relevance } else { Sort::Newest })
    }
}

/// Searches: the hits and the facets are asked for at the same time.
pub async fn search(pool: &PgPool, search: &Search) -> Result<Found, sqlx::Error> {
    let terms = search.q.as_deref().and_then(Terms::parse);
    let terms = terms.as_ref();
    let (mut hits, facets) =
        tokio::try_join!(hits::list(pool, search, terms), facets::count(pool, search, terms))?;
    let limit = search.limit as usize;
    let more = hits.len() > limit;
    hits.truncate(limit);
    let next = if more { hits.last().map(hits::Listed::key) } else { None };
    let hits = hits.into_iter().map(|hit| hit.shown(&search.locale, search.currency, terms)).collect();
    Ok(Found { hits, next, facets })
}
