use domain::product::Created;
use domain::{Currency, Event, Money, StreamId};
use sqlx::PgPool;

use super::examples::*;
use crate::orders::given::given;
use crate::products::Products;
use crate::products::query::{Search, Sort};

/// Many products with few different names and prices, bought differently often: there are many equals in every order.
fn equals() -> Vec<(StreamId, Event)> {
    let offers = (1..=30).flat_map(|number| {
        let prices = if number % 5 == 0 { 0..0 } else { 0..1 };
        offered(Created {
            prices: prices.map(|_| Money::new(1_000 * (number % 3 + 1) as i64, Currency::KRW)).collect(),
            ..product(number, &[("ko", ["가방", "새 가방", "가방 둘"][(number % 3) as usize])])
        })
    });
    offers.chain((1..=12).map(|order| bought(100 + order, [order % 4 + 1]))).collect()
}

async fn paged(pool: &PgPool, change: impl Fn(&mut Search)) -> Vec<u128> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = found(pool, |search| {
            change(search);
            search.limit = 4;
            search.after = after.take();
        });
        let page = page.await;
        assert!(page.hits.len() <= 4);
        all.extend(page.hits.iter().map(|hit| hit.product_id.0.as_u128()));
        // As a cursor carries it.
        let Some(next) = page.next else { return all };
        after = Some(serde_json::from_value(serde_json::to_value(next).unwrap()).unwrap());
    }
}

#[tokio::test]
async fn pages_neither_repeat_nor_leave_out() {
    let given = given(Products, equals()).await;
    let pool = &given.pool;
    for sort in [Sort::Newest, Sort::Name, Sort::PriceAsc, Sort::PriceDesc, Sort::Relevance] {
        for (q, language) in [(None, "ko"), (Some("가방"), "ko"), (Some("방 가"), "fr")] {
            let asked = |search: &mut Search| {
                search.sort = Some(sort);
                search.q = q.map(str::to_owned);
                search.locale = locale(language);
            };
            let at_once = numbers(pool, asked).await;
            let priced = matches!(sort, Sort::PriceAsc | Sort::PriceDesc);
            assert_eq!(at_once.len(), if priced { 24 } else { 30 }, "{sort:?} {q:?}");
            assert_eq!(paged(pool, asked).await, at_once, "{sort:?} {q:?}");
        }
    }
}

#[tokio::test]
async fn the_last_page_has_no_next() {
    let given = given(Products, catalogue()).await;
    assert!(found(&given.pool, |search| search.limit = 4).await.next.is_none());
    assert!(found(&given.pool, |search| search.limit = 3).await.next.is_some());
}
