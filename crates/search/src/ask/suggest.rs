//! Words to search for, while somebody is still typing: three questions in one call.

use domain::text::{Locale, LocalisedText};
use projections::products::query::{GROUPS_MAX, Group, Suggested, Suggestion, Terms, gather};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::complete;
use super::conditions::{holds_all, scores};
use super::hits::{best, term_published};
use crate::Error;
use crate::client::push_line;

/// The kinds of groups, with the fields of their names and texts.
const GROUPS: [(Suggested, &str, &str); 2] =
    [(Suggested::Category, "category", "category_text"), (Suggested::Brand, "brand", "brand_text")];

/// The questions: categories and brands that hold all words, names that begin with what was typed, and names that hold it.
pub(super) fn lines(terms: &Terms, language: &str, limit: u32) -> Result<String, Error> {
    let field = format!("sort_names.{language}");
    let begin = json!({"prefix": {(field): {"value": terms.phrase}}});
    let questions = [
        groups(terms),
        best(begin, Vec::new(), limit),
        best(holds_all("names", terms, true), scores(terms), limit),
    ];
    let mut lines = String::new();
    for question in questions {
        push_line(&mut lines, &json!({}))?;
        push_line(&mut lines, &question)?;
    }
    Ok(lines)
}

fn groups(terms: &Terms) -> Value {
    let group = |field: &str, text: &str| {
        let most = json!({"terms": {"field": field, "size": GROUPS_MAX}});
        json!({"filter": holds_all(text, terms, false), "aggs": {"of": most}})
    };
    let aggregations: serde_json::Map<String, Value> =
        GROUPS.iter().map(|(_, field, text)| ((*field).to_owned(), group(field, text))).collect();
    json!({"query": term_published(), "size": 0, "track_total_hits": false, "aggs": aggregations})
}

#[derive(Deserialize)]
struct Named {
    product_id: Uuid,
    name: LocalisedText,
}

/// The suggestions of the answers.
pub(super) fn read(
    answer: &Value,
    terms: &Terms,
    locale: &Locale,
    limit: u32,
) -> Result<Vec<Suggestion>, Error> {
    let answers = answer["responses"].as_array().map_or(&[][..], Vec::as_slice);
    let [groups, begin, hold] = answers else {
        return Err(Error::Strange("three questions have not three answers".to_owned()));
    };
    for each in answers {
        complete(each)?;
    }
    let begin = named(begin)?;
    // When those that begin so are enough, no other is needed.
    let named = if begin.len() >= limit as usize { begin } else { named(hold)? };
    let products = named.into_iter().map(|named| (named.product_id, named.name));
    Ok(gather(terms, read_groups(&groups["aggregations"]), products, locale, limit))
}

fn read_groups(aggregations: &Value) -> Vec<Group> {
    let of = |(kind, field, _): &(Suggested, &str, &str)| {
        let buckets = aggregations[field]["of"]["buckets"].as_array().cloned().unwrap_or_default();
        let kind = *kind;
        let named = move |bucket: Value| Some(Group { kind, text: bucket["key"].as_str()?.to_owned() });
        buckets.into_iter().filter_map(named)
    };
    GROUPS.iter().flat_map(of).collect()
}

fn named(answer: &Value) -> Result<Vec<Named>, Error> {
    let hits = answer["hits"]["hits"].as_array().cloned().unwrap_or_default();
    let named = |hit: Value| serde_json::from_value(hit["_source"].clone());
    hits.into_iter().map(named).collect::<Result<_, _>>().map_err(|error| Error::Strange(error.to_string()))
}
