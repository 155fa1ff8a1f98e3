//! One product.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::ProductId;
use domain::text::LocalisedText;
use domain::{Currency, Money};
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Reads;
use crate::orders::schema;

/// A product with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Product {
    /// The product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// Its one SKU: what goes into a cart.
    #[schema(example = "AIR-MAX-270")]
    pub sku: String,
    /// The version of its stream: the `ETag`, and what `If-Match` of a change names.
    pub version: u32,
    /// Whether it can be found and bought.
    pub published: bool,
    /// Its name by language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub name: LocalisedText,
    /// Its description by language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub description: LocalisedText,
    /// Its category.
    #[schema(example = "shoes/running")]
    pub category: String,
    /// Its brand.
    pub brand: Option<String>,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// What it costs, in each currency that it has a price in.
    #[schema(value_type = Vec<schema::Money>)]
    pub prices: Vec<Money>,
    /// Addresses of its images.
    pub images: Vec<String>,
    /// Pieces that can be bought.
    pub available: i64,
    /// Whether there are any.
    pub in_stock: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it last changed; its stock does not count.
    pub updated_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct Row {
    product_id: Uuid,
    sku: String,
    version: i32,
    published: bool,
    #[sqlx(json)]
    name: LocalisedText,
    #[sqlx(json)]
    description: LocalisedText,
    category: String,
    brand: Option<String>,
    #[sqlx(json)]
    attributes: BTreeMap<String, String>,
    #[sqlx(json)]
    prices: BTreeMap<String, i64>,
    #[sqlx(json)]
    images: Vec<String>,
    available: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// One product, published or not: who may see which is for the caller to say.
pub async fn find(pool: impl Reads<'_>, product_id: ProductId) -> Result<Option<Product>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT product_id, sku, version, published, name, description, category, brand, attributes, prices, images, \
         available, created_at, updated_at FROM products WHERE product_id = $1",
    )
    .bind(product_id.0)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(Product::from))
}

impl From<Row> for Product {
    fn from(row: Row) -> Self {
        let money = |(code, amount): (&String, &i64)| {
            Currency::parse(code).ok().map(|currency| Money { amount: *amount, currency })
        };
        Self {
            product_id: row.product_id.into(),
            sku: row.sku,
            version: row.version as u32,
            published: row.published,
            name: row.name,
            description: row.description,
            category: row.category,
            brand: row.brand,
            attributes: row.attributes,
            prices: row.prices.iter().filter_map(money).collect(),
            images: row.images,
            available: row.available,
            in_stock: row.available > 0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
