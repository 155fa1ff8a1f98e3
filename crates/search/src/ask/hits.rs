//! The products of a page.

use projections::products::query::{Key, Listed, Search, Sort, Terms, Unanswered};
use serde::Deserialize;
use serde_json::{Value, json};

use super::conditions::{all, filters, holds_all, price_field, scores};
use super::{complete, language};
use crate::Error;
use crate::document::{SHOWN, Shown};

/// The query, and one hit more than a page, so that it is known whether there are more. The filters come after the facets are
/// counted, each of which leaves its own out.
pub(super) fn body(search: &Search, terms: Option<&Terms>) -> Result<Value, Unanswered> {
    let sort = search.order(terms);
    let mut body = json!({
        "query": query(search, sort, terms),
        "post_filter": all(filters(search, None)),
        "sort": order(search, sort)?,
        "size": search.limit + 1,
        "_source": SHOWN,
        "track_total_hits": false,
    });
    if let Some(key) = &search.after {
        body["search_after"] = after(sort, key);
    }
    Ok(body)
}

fn query(search: &Search, sort: Sort, terms: Option<&Terms>) -> Value {
    let mut conditions = vec![term_published()];
    if matches!(sort, Sort::PriceAsc | Sort::PriceDesc) {
        conditions.push(json!({"exists": {"field": price_field(search)}}));
    }
    conditions.extend(terms.map(|terms| holds_all("texts", terms, true)));
    let scores = terms.filter(|_| sort == Sort::Relevance).map(scores).unwrap_or_default();
    json!({"bool": {"filter": conditions, "should": scores, "minimum_should_match": 0}})
}

pub(super) fn term_published() -> Value {
    json!({"term": {"published": true}})
}

fn order(search: &Search, sort: Sort) -> Result<Value, Unanswered> {
    let price = |order: &str| json!({(price_field(search)): {"order": order, "unmapped_type": "long"}});
    Ok(match sort {
        Sort::Relevance => json!([
            {"_score": "desc"}, {"bought": "desc"}, {"created_micros": "desc"}, {"product_id": "desc"},
        ]),
        Sort::Newest => json!([{"created_micros": "desc"}, {"product_id": "desc"}]),
        Sort::PriceAsc => json!([price("asc"), {"product_id": "asc"}]),
        Sort::PriceDesc => json!([price("desc"), {"product_id": "desc"}]),
        Sort::Name => {
            let field = format!("sort_names.{}", language(&search.locale)?);
            json!([{(field): "asc"}, {"product_id": "asc"}])
        }
    })
}

/// What comes after a key, in that order.
fn after(sort: Sort, key: &Key) -> Value {
    let (micros, id) = (key.created_at.timestamp_micros(), key.product_id);
    match sort {
        Sort::Relevance => json!([f64::from(key.score), key.bought, micros, id]),
        Sort::Newest => json!([micros, id]),
        Sort::PriceAsc | Sort::PriceDesc => json!([key.amount, id]),
        Sort::Name => json!([key.name, id]),
    }
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_source")]
    source: Shown,
    #[serde(rename = "_score")]
    score: Option<f64>,
}

/// The hits of an answer.
pub(super) fn read(answer: &Value, search: &Search) -> Result<Vec<Listed>, Error> {
    complete(answer)?;
    let hits: Vec<Hit> = serde_json::from_value(answer["hits"]["hits"].clone())
        .map_err(|error| Error::Strange(error.to_string()))?;
    let score = |score: Option<f64>| score.unwrap_or_default().round() as i32;
    let listed = |hit: Hit| hit.source.listed(&search.locale, search.currency, score(hit.score));
    Ok(hits.into_iter().map(listed).collect())
}

/// The products that are published and meet this, best first: for suggestions.
pub(super) fn best(condition: Value, scores: Vec<Value>, limit: u32) -> Value {
    json!({
        "query": {"bool": {"filter": [term_published(), condition], "should": scores, "minimum_should_match": 0}},
        "sort": [{"_score": "desc"}, {"bought": "desc"}, {"created_micros": "desc"}, {"product_id": "desc"}],
        "size": limit,
        "_source": ["product_id", "name"],
        "track_total_hits": false,
    })
}
