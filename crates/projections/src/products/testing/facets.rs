use domain::Currency;
use serde_json::{Value, json};

use super::Stage;
use super::examples::*;
use crate::products::query::{Facets, Found};

fn counts(facets: &Facets) -> Value {
    let pairs = |values: &[crate::products::query::ValueCount]| -> Vec<Value> {
        values.iter().map(|value| json!([value.value, value.count])).collect()
    };
    let price: Vec<Value> =
        facets.price.iter().map(|range| json!([range.min, range.max, range.count])).collect();
    let stock: Vec<Value> = facets.in_stock.iter().map(|stock| json!([stock.value, stock.count])).collect();
    let attributes: Value =
        facets.attributes.iter().map(|(name, values)| (name.clone(), json!(pairs(values)))).collect();
    json!({"total": facets.total, "category": pairs(&facets.category), "brand": pairs(&facets.brand), "price": price,
        "in_stock": stock, "attributes": attributes})
}

fn check(found: &Found, wanted: Value) {
    let counts = counts(&found.facets);
    for (facet, wanted) in wanted.as_object().unwrap() {
        assert_eq!(counts[facet], *wanted, "{facet} of {counts:#}");
    }
}

pub async fn all_is_counted<S: Stage>() {
    let stage = S::open(catalogue()).await;
    check(
        &found(stage.finder(), |_| ()).await,
        json!({"total": 4,
            "category": [["clothes", 2], ["clothes/socks", 1], ["shoes", 1], ["shoes/running", 1], ["sports", 1]],
            "brand": [["Nike", 2], ["Spalding", 1]],
            "price": [[null, 9_999, 1], [25_000, 49_999, 1], [100_000, 199_999, 1]],
            "in_stock": [[true, 3], [false, 1]],
            "attributes": {"colour": [["black", 2], ["orange", 1], ["white", 1]]}}),
    );
}

pub async fn a_facet_leaves_its_own_filter_out_and_keeps_the_others<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let nike = found(stage.finder(), |search| search.brand = Some("Nike".to_owned())).await;
    check(
        &nike,
        json!({"total": 2, "brand": [["Nike", 2], ["Spalding", 1]],
            "category": [["clothes", 1], ["shoes", 1], ["shoes/running", 1]],
            "in_stock": [[true, 1], [false, 1]], "attributes": {"colour": [["black", 1], ["white", 1]]}}),
    );
    let two = found(stage.finder(), |search| {
        search.brand = Some("Nike".to_owned());
        search.in_stock = Some(true);
    });
    check(
        &two.await,
        json!({"total": 1, "brand": [["Nike", 1], ["Spalding", 1]], "in_stock": [[true, 1], [false, 1]],
            "category": [["shoes", 1], ["shoes/running", 1]], "price": [[100_000, 199_999, 1]]}),
    );
    let every = found(stage.finder(), |search| {
        search.q = Some("운동".to_owned());
        search.category = Some("clothes".to_owned());
        search.brand = Some("Nike".to_owned());
        search.price_max = Some(10_000);
        search.in_stock = Some(true);
    });
    check(
        &every.await,
        json!({"total": 0, "brand": [], "category": [], "price": [], "in_stock": [], "attributes": {}}),
    );
}

pub async fn words_narrow_the_facets_too<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let found = found(stage.finder(), |search| search.q = Some("운동".to_owned())).await;
    check(
        &found,
        json!({"total": 2, "brand": [["Nike", 1]],
            "category": [["clothes", 1], ["clothes/socks", 1], ["shoes", 1], ["shoes/running", 1]]}),
    );
}

pub async fn price_ranges_are_round_in_every_currency<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let usd = found(stage.finder(), |search| search.currency = Currency::parse("USD").unwrap()).await;
    check(&usd, json!({"total": 4, "price": [[1_000, 2_499, 1]]}));
    let filtered = found(stage.finder(), |search| search.price_min = Some(100_000)).await;
    check(
        &filtered,
        json!({"total": 1, "price": [[null, 9_999, 1], [25_000, 49_999, 1], [100_000, 199_999, 1]],
            "brand": [["Nike", 1]]}),
    );
}

pub async fn a_filter_of_a_facet_finds_as_many_as_it_says<S: Stage>() {
    let stage = S::open(catalogue()).await;
    let all = found(stage.finder(), |_| ()).await;
    for category in &all.facets.category {
        let hits = numbers(stage.finder(), |search| search.category = Some(category.value.clone())).await;
        assert_eq!(hits.len() as i64, category.count, "{category:?}");
    }
    for range in &all.facets.price {
        let hits =
            numbers(stage.finder(), |search| (search.price_min, search.price_max) = (range.min, range.max))
                .await;
        assert_eq!(hits.len() as i64, range.count, "{range:?}");
    }
}
