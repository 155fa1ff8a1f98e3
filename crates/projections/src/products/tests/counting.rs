//! Facets, kept or counted, against what is found when one goes through everything.

use std::collections::BTreeMap;

use domain::product::{Changed, Created, Unpublished};
use domain::{Currency, Event, Money, StreamId, stock};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::orders::given::given;
use crate::products::Products;
use crate::products::query::{Facets, Hit, Search, Sort};
use crate::products::testing::examples::*;

const CATEGORIES: [&str; 6] = ["a", "a/b", "a/b/c", "a/b/c/d", "/e", "f//g"];

/// Forty products of many kinds, some without brand, price, stock or attributes, some withdrawn.
fn kinds() -> Vec<(StreamId, Event)> {
    let mut events = Vec::new();
    for number in 1..=40_u128 {
        let pick = |of: u128, salt: u128| (number * 7 + salt) / 3 % of;
        let (usd, won) = (Currency::parse("USD").unwrap(), Currency::KRW);
        let prices = [
            Money::new(9_000 * (1 + pick(9, 1)) as i64, won),
            Money::new(700 * (1 + pick(5, 2)) as i64, usd),
        ];
        let attributes =
            [("colour", ["red", "blue"][pick(2, 3) as usize].to_owned()), ("note", "가".repeat(101))];
        let created = Created {
            category: CATEGORIES[pick(6, 4) as usize].to_owned(),
            brand: [Some("Nike"), Some("Puma"), None][pick(3, 5) as usize].map(str::to_owned),
            prices: prices[..pick(3, 6).min(2) as usize].to_vec(),
            attributes: attributes[..pick(3, 7) as usize]
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            ..product(number, &[("ko", ["운동화", "운동 양말"][pick(2, 8) as usize])])
        };
        events.extend(offered(created));
        if pick(3, 9) > 0 {
            events.push(stocked(number, received(3)));
        }
        if number % 7 == 0 {
            events.push(happened(number, Unpublished {}));
        }
    }
    events
}

/// They change: what was counted must be taken away, and what comes in or goes out be counted.
fn changes() -> Vec<(StreamId, Event)> {
    let mut events = Vec::new();
    for number in (1..=40_u128).step_by(3) {
        let changed = Changed {
            category: Some(CATEGORIES[(number % 6) as usize].to_owned()),
            brand: Some("Vans".to_owned()),
            attributes: Some(BTreeMap::from([("size".to_owned(), (number % 4).to_string())])),
            prices: Some(vec![Money::new(500_000 * number as i64, Currency::KRW)]),
            ..Changed::default()
        };
        events.push(happened(number, changed));
        events.push(stocked(number + 1, received(1)));
        events.push(stocked(number, stock::Adjusted { delta: -3, reason: "count".to_owned() }));
    }
    events
}

type Change = fn(&mut Search);

const FILTERS: [Change; 4] = [
    |search| search.category = Some("a/b".to_owned()),
    |search| search.brand = Some("Nike".to_owned()),
    |search| search.price_max = Some(50_000),
    |search| search.in_stock = Some(true),
];

const OTHERS: [Change; 8] = [
    |_| (),
    |search| search.q = Some("운동".to_owned()),
    |search| search.q = Some("양말".to_owned()),
    |search| search.sort = Some(Sort::PriceAsc),
    |search| search.currency = Currency::parse("USD").unwrap(),
    |search| search.in_stock = search.in_stock.map(|wanted| !wanted),
    |search| search.category = search.category.as_ref().map(|_| "a/b/c/d".to_owned()),
    |search| search.category = search.category.as_ref().map(|_| "/e".to_owned()),
];

fn tally(values: impl IntoIterator<Item = String>) -> BTreeMap<String, i64> {
    let mut tally = BTreeMap::new();
    values.into_iter().for_each(|value| *tally.entry(value).or_default() += 1);
    tally
}

/// A category with all that are above it.
fn with_those_above(category: &str) -> Vec<String> {
    let ends = category.match_indices('/').map(|(end, _)| end).filter(|end| *end > 0).chain([category.len()]);
    ends.map(|end| category[..end].to_owned()).collect()
}

fn attributes(hits: &[Hit]) -> BTreeMap<String, i64> {
    let each = hits.iter().flat_map(|hit| &hit.attributes).filter(|(_, value)| value.chars().count() <= 100);
    tally(each.map(|(name, value)| format!("{name}={value}")))
}

/// What the facets must be, from lists of hits: all filters set, and each left out in turn.
async fn wanted(pool: &PgPool, set: &[usize], other: Change) -> Value {
    let hits = |without: Option<usize>| async move {
        let asked = |search: &mut Search| {
            let others = set.iter().filter(|number| Some(**number) != without);
            others.for_each(|number| FILTERS[*number](search));
            other(search);
        };
        found(pool, asked).await.hits
    };
    let (all, category, brand, price, stock) = (
        hits(None).await,
        hits(Some(0)).await,
        hits(Some(1)).await,
        hits(Some(2)).await,
        hits(Some(3)).await,
    );
    json!({
        "total": all.len(),
        "category": tally(category.iter().flat_map(|hit| with_those_above(&hit.category))),
        "brand": tally(brand.iter().filter_map(|hit| hit.brand.clone())),
        "price": price.iter().filter(|hit| hit.price.is_some()).count(),
        "in_stock": tally(stock.iter().map(|hit| hit.in_stock.to_string())),
        "attributes": attributes(&all),
    })
}

fn counted(facets: &Facets) -> Value {
    let of = |values: &[crate::products::query::ValueCount]| -> BTreeMap<String, i64> {
        values.iter().map(|value| (value.value.clone(), value.count)).collect()
    };
    let stock: BTreeMap<_, _> =
        facets.in_stock.iter().map(|stock| (stock.value.to_string(), stock.count)).collect();
    let each =
        facets.attributes.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    let attributes: BTreeMap<_, _> =
        each.map(|(name, value)| (format!("{name}={}", value.value), value.count)).collect();
    json!({"total": facets.total, "category": of(&facets.category), "brand": of(&facets.brand),
        "price": facets.price.iter().map(|range| range.count).sum::<i64>(), "in_stock": stock, "attributes": attributes})
}

async fn check_all(pool: &PgPool) {
    for combination in 0..16 {
        let set: Vec<usize> = (0..4).filter(|bit| combination & (1 << bit) != 0).collect();
        for (number, other) in OTHERS.into_iter().enumerate() {
            let found = found(pool, |search| {
                set.iter().for_each(|number| FILTERS[*number](search));
                other(search);
            });
            let counted = counted(&found.await.facets);
            let wanted = wanted(pool, &set, other).await;
            assert_eq!(counted, wanted, "filters {set:?}, other {number}; left: facets, right: hits");
        }
    }
}

#[tokio::test]
async fn facets_say_what_a_walk_through_all_hits_says() {
    let given = given(Products, kinds()).await;
    check_all(&given.pool).await;
    let given = given.when(changes()).await;
    check_all(&given.pool).await;
    given.and_again().await;
}

#[tokio::test]
async fn counts_are_the_same_however_they_came_to_be() {
    let mut events = kinds();
    events.extend(changes());
    given(Products, events.clone()).await.equals_fresh(events).await;
}

#[tokio::test]
async fn what_is_no_longer_there_is_not_counted() {
    let mut events = offered(product(1, &[("ko", "가방")])).to_vec();
    events.push(stocked(1, received(1)));
    let given = given(Products, events).await;
    assert!(!given.rows("product_counts").await.is_empty());
    let given = given.when([happened(1, Unpublished {})]).await;
    assert_eq!(given.rows("product_counts").await, Vec::<Value>::new());
}
