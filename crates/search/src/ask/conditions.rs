//! The conditions of a search in OpenSearch's words.

use projections::products::query::{Search, Terms};
use serde_json::{Value, json};

/// A filter that has a facet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    Category,
    Brand,
    Price,
    Stock,
}

/// What the filters let pass, without one of them.
pub(super) fn filters(search: &Search, without: Option<Filter>) -> Vec<Value> {
    let category = search.category.as_ref().map(|category| term("categories", category));
    let brand = search.brand.as_ref().map(|brand| term("brand", brand));
    let stock = search.in_stock.map(|in_stock| json!({"term": {"in_stock": in_stock}}));
    let each = [
        (Filter::Category, category),
        (Filter::Brand, brand),
        (Filter::Price, price(search)),
        (Filter::Stock, stock),
    ];
    each.into_iter().filter(|(filter, _)| Some(*filter) != without).filter_map(|(_, query)| query).collect()
}

/// The field of prices in the currency that is asked for.
pub(super) fn price_field(search: &Search) -> String {
    format!("prices.{}", search.currency.code())
}

fn price(search: &Search) -> Option<Value> {
    let mut bounds = serde_json::Map::new();
    for (name, bound) in [("gte", search.price_min), ("lte", search.price_max)] {
        bounds.extend(bound.map(|bound| (name.to_owned(), json!(bound))));
    }
    (!bounds.is_empty()).then(|| json!({"range": {(price_field(search)): bounds}}))
}

pub(super) fn term(field: &str, value: &str) -> Value {
    json!({"term": {(field): {"value": value}}})
}

/// All of these.
pub(super) fn all(queries: Vec<Value>) -> Value {
    json!({"bool": {"filter": queries}})
}

/// One of these.
fn any(queries: Vec<Value>) -> Value {
    json!({"bool": {"should": queries, "minimum_should_match": 1}})
}

/// Texts of a field, cut into characters and pairs, that hold this: a phrase of neighbouring pairs is a part of the text.
pub(super) fn holds(field: &str, part: &str) -> Value {
    if part.chars().nth(1).is_none() {
        return term(&format!("{field}.ones"), part);
    }
    json!({"match_phrase": {(format!("{field}.pairs")): {"query": part}}})
}

/// Texts that hold all these words; `beyond`: or other forms of them.
pub(super) fn holds_all(field: &str, terms: &Terms, beyond: bool) -> Value {
    let word = |word: &String| match other_forms(word).filter(|_| beyond) {
        Some(forms) => any(vec![holds(field, word), forms]),
        None => holds(field, word),
    };
    all(terms.words.iter().map(word).collect())
}

/// Names that hold another form of a word: Korean without its particles and endings, an inflected Japanese or English word. Only
/// of words of letters and digits: who searches for `100%` means just that.
fn other_forms(word: &str) -> Option<Value> {
    if !word.chars().all(char::is_alphanumeric) {
        return None;
    }
    let field = word.chars().find_map(language)?;
    Some(json!({"match_phrase": {(field): {"query": word}}}))
}

/// The field of names in the language of a letter.
fn language(letter: char) -> Option<&'static str> {
    match letter {
        '가'..='힣' => Some("words_ko"),
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' => Some("words_ja"),
        'a'..='z' => Some("words_en"),
        _ => None,
    }
}

/// How well a product fits, as PostgreSQL says it: one for each of these, and each holds when the next one does. All words are
/// in the names, the whole phrase is, a name begins with it, a name is it.
pub(super) fn scores(terms: &Terms) -> Vec<Value> {
    let phrase = &terms.phrase;
    let steps = [
        holds_all("names", terms, true),
        holds("names", phrase),
        json!({"prefix": {"names": {"value": phrase}}}),
        term("names", phrase),
    ];
    steps.map(|step| json!({"constant_score": {"filter": step, "boost": 1.0}})).to_vec()
}
