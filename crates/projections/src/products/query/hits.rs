//! The products of a page.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::ProductId;
use domain::text::{Locale, LocalisedText};
use domain::{Currency, Money};
use serde::Serialize;
use sqlx::{FromRow, Postgres, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conditions::{price, push_filters, push_score, push_sort_name, push_texts};
use super::highlight::highlight;
use super::terms::Terms;
use super::{Key, Search, Sort};
use crate::Reads;
use crate::orders::schema;

/// A product in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ProductHit)]
pub struct Hit {
    /// The product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// Its SKU: what goes into a cart.
    #[schema(example = "AIR-MAX-270")]
    pub sku: String,
    /// Its name in the language that was asked for, else in Korean, else in English, else in any.
    #[schema(example = "나이키 에어맥스 운동화")]
    pub name: String,
    /// Its name in every language.
    #[schema(value_type = BTreeMap<String, String>)]
    pub names: LocalisedText,
    /// `name` as HTML: what was searched for is within `<mark>`, everything else escaped. Not there without a `q`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "나이키 에어맥스 <mark>운동화</mark>")]
    pub highlight: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Its category.
    #[schema(example = "shoes/running")]
    pub category: String,
    /// What it costs in the currency that was asked for; `null` when it has no price in it.
    #[schema(value_type = Option<schema::Money>)]
    pub price: Option<Money>,
    /// Pieces that can be bought.
    pub available: i64,
    /// Whether there are any.
    pub in_stock: bool,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Addresses of its images.
    pub images: Vec<String>,
}

/// A hit as it is read, with all that it can be sorted by.
#[derive(Debug, FromRow)]
pub struct Listed {
    /// The product.
    pub product_id: Uuid,
    /// Its SKU.
    pub sku: String,
    /// Its name by language.
    #[sqlx(json)]
    pub name: LocalisedText,
    /// Its category.
    pub category: String,
    /// Its brand.
    pub brand: Option<String>,
    /// Its attributes.
    #[sqlx(json)]
    pub attributes: BTreeMap<String, String>,
    /// Addresses of its images.
    #[sqlx(json)]
    pub images: Vec<String>,
    /// Pieces that can be bought.
    pub available: i64,
    /// Its price in the currency that is asked for.
    pub amount: Option<i64>,
    /// In how many orders it was bought.
    pub bought: i64,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// The name it is sorted by, in the language that is asked for.
    pub sort_name: String,
    /// How well it fits, 4 is best.
    pub score: i32,
}

impl Listed {
    pub(super) fn product_id(&self) -> Uuid {
        self.product_id
    }

    pub(super) fn key(&self) -> Key {
        Key {
            score: self.score,
            bought: self.bought,
            created_at: self.created_at,
            amount: self.amount,
            name: self.sort_name.clone(),
            product_id: self.product_id,
        }
    }

    pub(super) fn shown(self, locale: &Locale, currency: Currency, terms: Option<&Terms>) -> Hit {
        let name = self.name.best(locale).to_owned();
        Hit {
            product_id: self.product_id.into(),
            sku: self.sku,
            highlight: terms.map(|terms| highlight(&name, &terms.words)),
            name,
            names: self.name,
            brand: self.brand,
            category: self.category,
            price: self.amount.map(|amount| Money { amount, currency }),
            available: self.available,
            in_stock: self.available > 0,
            attributes: self.attributes,
            images: self.images,
        }
    }
}

/// `SELECT …` of a [`Listed`], up to where it comes from.
pub(super) fn push_columns(
    sql: &mut QueryBuilder<Postgres>,
    locale: &Locale,
    currency: Currency,
    terms: Option<&Terms>,
) {
    push_shown(sql, locale, currency);
    sql.push(", ");
    push_score(sql, terms);
    sql.push(" AS score");
}

/// The same without its score.
fn push_shown(sql: &mut QueryBuilder<Postgres>, locale: &Locale, currency: Currency) {
    sql.push(
        "SELECT p.product_id, p.sku, p.name, p.category, p.brand, p.attributes, p.images, p.available, p.bought, \
         p.created_at, ",
    );
    sql.push(price(currency)).push(" AS amount, ");
    push_sort_name(sql, locale);
    sql.push(" AS sort_name");
}

/// One more than a page, so that it is known whether there are more. What is found by words is sorted by as little as it takes: all
/// that is shown is read, and taken out of its JSON, for the page only and not for everything that was found.
pub(super) async fn list(
    pool: impl Reads<'_>,
    search: &Search,
    terms: Option<&Terms>,
) -> Result<Vec<Listed>, sqlx::Error> {
    let mut sql = if let Some(terms) = terms.filter(|terms| search.order(Some(terms)) == Sort::Relevance) {
        relevant(search, terms)
    } else {
        sorted(search, terms)
    };
    sql.build_query_as().fetch_all(pool).await
}

fn sorted(search: &Search, terms: Option<&Terms>) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("SELECT * FROM (");
    push_columns(&mut sql, &search.locale, search.currency, terms);
    push_texts(&mut sql, terms);
    push_filters(&mut sql, search, None);
    sql.push(") hits");
    push_page(&mut sql, search, terms);
    sql
}

fn relevant(search: &Search, terms: &Terms) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("");
    push_shown(&mut sql, &search.locale, search.currency);
    sql.push(", hits.score FROM (SELECT * FROM (SELECT p.product_id, p.bought, p.created_at, ");
    push_score(&mut sql, Some(terms));
    sql.push(" AS score");
    push_texts(&mut sql, Some(terms));
    push_filters(&mut sql, search, None);
    sql.push(") found");
    push_page(&mut sql, search, Some(terms));
    sql.push(
        ") hits JOIN products p USING (product_id) \
         ORDER BY hits.score DESC, hits.bought DESC, hits.created_at DESC, product_id DESC",
    );
    sql
}

fn push_page(sql: &mut QueryBuilder<Postgres>, search: &Search, terms: Option<&Terms>) {
    let sort = search.order(terms);
    if let Some(key) = &search.after {
        push_after(sql, sort, key);
    }
    sql.push(match sort {
        Sort::Relevance => " ORDER BY score DESC, bought DESC, created_at DESC, product_id DESC",
        Sort::Newest => " ORDER BY created_at DESC, product_id DESC",
        Sort::PriceAsc => " ORDER BY amount, product_id",
        Sort::PriceDesc => " ORDER BY amount DESC, product_id DESC",
        Sort::Name => " ORDER BY sort_name, product_id",
    });
    sql.push(" LIMIT ").push_bind(i64::from(search.limit) + 1);
}

/// What comes after a key: never what came before it, and nothing is left out, whatever is equal.
fn push_after(sql: &mut QueryBuilder<Postgres>, sort: Sort, key: &Key) {
    match sort {
        Sort::Relevance => {
            sql.push(" WHERE (score, bought, created_at, product_id) < (").push_bind(key.score);
            sql.push(", ").push_bind(key.bought).push(", ").push_bind(key.created_at);
        }
        Sort::Newest => {
            sql.push(" WHERE (created_at, product_id) < (").push_bind(key.created_at);
        }
        Sort::PriceAsc => {
            sql.push(" WHERE (amount, product_id) > (").push_bind(key.amount);
        }
        Sort::PriceDesc => {
            sql.push(" WHERE (amount, product_id) < (").push_bind(key.amount);
        }
        Sort::Name => {
            sql.push(" WHERE (sort_name, product_id) > (").push_bind(key.name.clone());
        }
    }
    sql.push(", ").push_bind(key.product_id).push(")");
}
