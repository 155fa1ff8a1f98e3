//! What kinds of products were found, and how many of each. Each facet is counted over what all filters but its own let pass.

use std::collections::BTreeMap;

use domain::Currency;
use projections::products::query::{
    ATTRIBUTE_VALUES_MAX, Facets, PriceCount, Search, StockCount, VALUES_MAX, ValueCount, price_bounds,
    price_range,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::conditions::{Filter, all, filters, price_field};
use crate::Error;

/// Attributes that are looked at; those that most have are shown.
const ATTRIBUTES_MAX: u32 = 500;

/// The aggregations.
pub(super) fn body(search: &Search) -> Value {
    let without = |filter: Option<Filter>, counted: Value| json!({"filter": all(filters(search, filter)), "aggs": {"of": counted}});
    let values = |field: &str, size: i64| json!({"terms": {"field": field, "size": size}});
    let most = VALUES_MAX as i64;
    let mut names = values("attribute_values.name", i64::from(ATTRIBUTES_MAX));
    names["aggs"] = json!({"of": values("attribute_values.value", ATTRIBUTE_VALUES_MAX)});
    let attributes = json!({"nested": {"path": "attribute_values"}, "aggs": {"of": names}});
    json!({
        "category": without(Some(Filter::Category), values("categories", most)),
        "brand": without(Some(Filter::Brand), values("brand", most)),
        "price": without(Some(Filter::Price), price_ranges(search)),
        "in_stock": without(Some(Filter::Stock), values("in_stock", 2)),
        "found": without(None, attributes),
    })
}

fn price_ranges(search: &Search) -> Value {
    let bounds = price_bounds(search.currency);
    let range = |number: usize| {
        let (from, to) = (number.checked_sub(1).and_then(|below| bounds.get(below)), bounds.get(number));
        let mut range = json!({"key": number.to_string()});
        for (name, bound) in [("from", from), ("to", to)] {
            if let Some(bound) = bound {
                range[name] = json!(bound);
            }
        }
        range
    };
    let ranges: Vec<Value> = (0..=bounds.len()).map(range).collect();
    json!({"range": {"field": price_field(search), "ranges": ranges}})
}

/// What is counted under one filter.
#[derive(Deserialize)]
struct Counted {
    of: Buckets,
}

#[derive(Deserialize)]
struct Buckets {
    buckets: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    key: Value,
    doc_count: i64,
    of: Option<Buckets>,
}

/// Attributes lie one level deeper.
#[derive(Deserialize)]
struct Found {
    doc_count: i64,
    of: Nested,
}

#[derive(Deserialize)]
struct Nested {
    of: Buckets,
}

#[derive(Deserialize)]
struct Aggregations {
    category: Counted,
    brand: Counted,
    price: Counted,
    in_stock: Counted,
    found: Found,
}

/// The facets of an answer.
pub(super) fn read(aggregations: &Value, currency: Currency) -> Result<Facets, Error> {
    let counted: Aggregations =
        serde_json::from_value(aggregations.clone()).map_err(|error| Error::Strange(error.to_string()))?;
    let facets = Facets {
        total: counted.found.doc_count,
        category: counted.category.of.values(),
        brand: counted.brand.of.values(),
        price: counted.price.of.prices(currency),
        in_stock: counted.in_stock.of.stock(),
        attributes: counted.found.of.of.attributes(),
    };
    Ok(facets.in_order())
}

impl Buckets {
    fn values(self) -> Vec<ValueCount> {
        let value = |bucket: Bucket| ValueCount { value: bucket.text(), count: bucket.doc_count };
        self.buckets.into_iter().map(value).collect()
    }

    /// Ranges in which there is something.
    fn prices(self, currency: Currency) -> Vec<PriceCount> {
        let range = |bucket: Bucket| {
            let (min, max) = price_range(bucket.text().parse().ok()?, currency);
            Some(PriceCount { min, max, count: bucket.doc_count })
        };
        self.buckets.into_iter().filter(|bucket| bucket.doc_count > 0).filter_map(range).collect()
    }

    fn stock(self) -> Vec<StockCount> {
        let stock = |bucket: Bucket| StockCount { value: bucket.key == json!(1), count: bucket.doc_count };
        self.buckets.into_iter().map(stock).collect()
    }

    fn attributes(self) -> BTreeMap<String, Vec<ValueCount>> {
        let each = |mut bucket: Bucket| {
            let values = bucket.of.take().map(Buckets::values).unwrap_or_default();
            (bucket.text(), values)
        };
        self.buckets.into_iter().map(each).collect()
    }
}

impl Bucket {
    fn text(&self) -> String {
        self.key.as_str().unwrap_or_default().to_owned()
    }
}
