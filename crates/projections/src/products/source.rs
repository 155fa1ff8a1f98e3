//! Products as a search engine outside is given them: everything that a hit shows and that it is found and sorted by.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::text::LocalisedText;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.product_id, p.published, p.sku, p.category, p.brand, p.name, p.attributes, p.images, p.prices, \
             p.sort_names, p.available, p.bought, p.created_at, t.names, t.folded \
             FROM read.products p JOIN read.product_texts t USING (product_id) ",
            $rest
        )
    };
}

/// What is known of a product, published or not.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Source {
    /// The product.
    pub product_id: Uuid,
    /// Whether it can be found and bought.
    pub published: bool,
    /// Its SKU.
    pub sku: String,
    /// Its category.
    pub category: String,
    /// Its brand.
    pub brand: Option<String>,
    /// Its name by language.
    #[sqlx(json)]
    pub name: LocalisedText,
    /// Its attributes.
    #[sqlx(json)]
    pub attributes: BTreeMap<String, String>,
    /// Addresses of its images.
    #[sqlx(json)]
    pub images: Vec<String>,
    /// Its prices in minor units, by currency.
    #[sqlx(json)]
    pub prices: BTreeMap<String, i64>,
    /// The names it is sorted by, by language: always with ko, en and ja.
    #[sqlx(json)]
    pub sort_names: BTreeMap<String, String>,
    /// Pieces that can be bought.
    pub available: i64,
    /// In how many orders it was bought.
    pub bought: i64,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    names: String,
    folded: String,
}

impl Source {
    /// The folded names, each once.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.split('\n').filter(|line| !line.is_empty())
    }

    /// The folded texts that words are looked for in: the names, the same without spaces, brand, category and SKU.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.folded.split('\n').filter(|line| !line.is_empty())
    }
}

/// These products, as far as they are there. Answered from the rows that are asked for, never from a copy that is being built.
///
/// # Errors
/// When the database is away.
pub async fn sources(connection: &mut PgConnection, products: &[Uuid]) -> Result<Vec<Source>, sqlx::Error> {
    sqlx::query_as(select!("WHERE p.product_id = ANY ($1)")).bind(products).fetch_all(connection).await
}

/// The next products after one, in the order of their ids.
///
/// # Errors
/// When the database is away.
pub async fn sources_after(
    connection: &mut PgConnection,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Source>, sqlx::Error> {
    sqlx::query_as(select!("WHERE p.product_id > $1 OR $1 IS NULL ORDER BY p.product_id LIMIT $2"))
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await
}
