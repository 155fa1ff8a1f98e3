use domain::product::Created;
use domain::{Currency, Event, Money, StreamId};

use super::Stage;
use super::examples::*;
use crate::products::query::{Finder, Search, Sort};

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

async fn paged(finder: &dyn Finder, change: impl Fn(&mut Search)) -> Vec<u128> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = found(finder, |search| {
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

pub async fn pages_neither_repeat_nor_leave_out<S: Stage>() {
    let stage = S::open(equals()).await;
    let finder = stage.finder();
    for sort in [Sort::Newest, Sort::Name, Sort::PriceAsc, Sort::PriceDesc, Sort::Relevance] {
        for (q, language) in [(None, "ko"), (Some("가방"), "ko"), (Some("방 가"), "fr")] {
            let asked = |search: &mut Search| {
                search.sort = Some(sort);
                search.q = q.map(str::to_owned);
                search.locale = locale(language);
            };
            let at_once = numbers(finder, asked).await;
            let priced = matches!(sort, Sort::PriceAsc | Sort::PriceDesc);
            assert_eq!(at_once.len(), if priced { 24 } else { 30 }, "{sort:?} {q:?}");
            assert_eq!(paged(finder, asked).await, at_once, "{sort:?} {q:?}");
        }
    }
}

pub async fn the_last_page_has_no_next<S: Stage>() {
    let stage = S::open(catalogue()).await;
    assert!(found(stage.finder(), |search| search.limit = 4).await.next.is_none());
    assert!(found(stage.finder(), |search| search.limit = 3).await.next.is_some());
}
