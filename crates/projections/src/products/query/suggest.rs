//! Words to search for, while somebody is still typing.

use domain::ids::ProductId;
use domain::text::{Locale, LocalisedText};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conditions::{push_score, push_sort_name, push_texts};
use super::highlight::highlight;
use super::terms::Terms;
use crate::Reads;
use crate::products::fold;

/// Brands of one answer, and categories.
pub const GROUPS_MAX: usize = 3;

/// What a suggestion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suggested {
    /// A category to filter by.
    Category,
    /// A brand to filter by.
    Brand,
    /// A product.
    Product,
}

/// Something to search for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    /// What it is.
    pub kind: Suggested,
    /// A product's name in the language that was asked for, a brand, or a category.
    #[schema(example = "나이키 에어맥스 운동화")]
    pub text: String,
    /// The same as HTML, with what was typed within `<mark>`.
    #[schema(example = "나이키 <mark>에어</mark>맥스 운동화")]
    pub highlight: String,
    /// The product, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub product_id: Option<ProductId>,
}

#[derive(FromRow)]
struct Named {
    product_id: Uuid,
    #[sqlx(json)]
    name: LocalisedText,
}

/// Up to so many categories, brands and products that hold what was typed; those that begin with it first.
pub async fn suggest(
    pool: impl Reads<'_>,
    q: &str,
    locale: &Locale,
    limit: u32,
) -> Result<Vec<Suggestion>, sqlx::Error> {
    let Some(terms) = Terms::parse(q) else { return Ok(Vec::new()) };
    let (groups, named) = tokio::try_join!(groups(pool, &terms), products(pool, &terms, locale, limit))?;
    let named = named.into_iter().map(|product| (product.product_id, product.name));
    Ok(gather(&terms, groups, named, locale, limit))
}

/// A category or a brand that holds what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Which of the two.
    pub kind: Suggested,
    /// Its name.
    pub text: String,
}

/// Makes suggestions of categories and brands, then products: each name once, those that begin with what was typed first.
pub fn gather(
    terms: &Terms,
    groups: impl IntoIterator<Item = Group>,
    products: impl IntoIterator<Item = (Uuid, LocalisedText)>,
    locale: &Locale,
    limit: u32,
) -> Vec<Suggestion> {
    let groups = groups.into_iter().map(|group| terms.suggestion(group.kind, group.text, None));
    let mut suggestions: Vec<Suggestion> = groups.collect();
    for (product_id, name) in products {
        let text = name.best(locale).to_owned();
        if !suggestions.iter().any(|known| known.kind == Suggested::Product && known.text == text) {
            suggestions.push(terms.suggestion(Suggested::Product, text, Some(product_id.into())));
        }
    }
    suggestions.truncate(limit as usize);
    // Stable: what is bought more stays before what is bought less.
    suggestions.sort_by_key(|suggestion| !terms.begin(&suggestion.text));
    suggestions
}

/// The brands and categories that hold all words, those with most products first.
async fn groups(pool: impl Reads<'_>, terms: &Terms) -> Result<Vec<Group>, sqlx::Error> {
    let counted: Vec<(String, String)> = sqlx::query_as(
        "SELECT facet, value FROM product_counts WHERE scope = '' AND NOT only_in_stock \
         AND facet IN ('category', 'brand') ORDER BY products DESC, value",
    )
    .fetch_all(pool)
    .await?;
    let of = |facet: &'static str, kind| {
        let texts = counted.iter().filter(move |(of, text)| of == facet && terms.within(text));
        texts.take(GROUPS_MAX).map(move |(_, text)| Group { kind, text: text.clone() })
    };
    Ok(of("category", Suggested::Category).chain(of("brand", Suggested::Brand)).collect())
}

/// Products whose names hold all words. Those that begin with what was typed are looked for first: an index has them, and when
/// they are enough, which is so after the first letters, no other name need be looked at.
async fn products(
    pool: impl Reads<'_>,
    terms: &Terms,
    locale: &Locale,
    limit: u32,
) -> Result<Vec<Named>, sqlx::Error> {
    let begin = beginning(pool, terms, locale, limit).await?;
    if begin.len() >= limit as usize { Ok(begin) } else { holding(pool, terms, limit).await }
}

async fn beginning(
    pool: impl Reads<'_>,
    terms: &Terms,
    locale: &Locale,
    limit: u32,
) -> Result<Vec<Named>, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT p.product_id, p.name FROM products p WHERE p.published AND ");
    push_sort_name(&mut sql, locale);
    sql.push(" >= ").push_bind(terms.phrase.clone()).push(" AND ");
    push_sort_name(&mut sql, locale);
    // Nothing that begins with the phrase comes after the phrase and the last character there is.
    sql.push(" < ").push_bind(format!("{}{}", terms.phrase, char::MAX));
    sql.push(" ORDER BY p.bought DESC, p.created_at DESC, p.product_id DESC LIMIT ");
    sql.push_bind(i64::from(limit)).build_query_as().fetch_all(pool).await
}

async fn holding(pool: impl Reads<'_>, terms: &Terms, limit: u32) -> Result<Vec<Named>, sqlx::Error> {
    let mut sql = QueryBuilder::new(
        "SELECT product_id, name FROM (SELECT p.product_id, p.name, p.bought, p.created_at, ",
    );
    push_score(&mut sql, Some(terms));
    sql.push(" AS score");
    push_texts(&mut sql, Some(terms));
    // 0: only the brand, the category or the SKU holds it; that is suggested as such.
    sql.push(
        ") named WHERE score > 0 ORDER BY score DESC, bought DESC, created_at DESC, product_id DESC LIMIT ",
    );
    sql.push_bind(i64::from(limit)).build_query_as().fetch_all(pool).await
}

impl Terms {
    fn suggestion(&self, kind: Suggested, text: String, product_id: Option<ProductId>) -> Suggestion {
        Suggestion { kind, highlight: highlight(&text, &self.words), text, product_id }
    }

    /// Whether a text holds all words.
    fn within(&self, text: &str) -> bool {
        let text = fold::fold(text);
        self.words.iter().all(|word| text.contains(word.as_str()))
    }

    /// Whether a text begins with what was typed.
    fn begin(&self, text: &str) -> bool {
        fold::fold(text).starts_with(&self.phrase)
    }
}
