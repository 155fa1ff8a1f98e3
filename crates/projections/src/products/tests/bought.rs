use domain::{Currency, product};
use serde_json::{Value, json};

use crate::orders::given::{Given, given};
use crate::products::Products;
use crate::products::query::recommendations;
use crate::products::testing::examples::*;

async fn recommended(given: &Given<Products>, number: u128, limit: u32) -> Vec<u128> {
    let hits = recommendations(&given.pool, id(number), &locale("ko"), Currency::KRW, limit).await.unwrap();
    hits.iter().map(|hit| hit.product_id.0.as_u128()).collect()
}

#[tokio::test]
async fn orders_count_what_is_bought_and_with_what() {
    let given =
        given(Products, catalogue()).await.when([bought(90, [SOCKS, SHOES]), bought(91, [SHOES])]).await;
    let given = given.when([bought(92, [SHOES, SOCKS, BALL])]).await.and_again().await;
    let bought: Vec<Value> = given.rows("products").await.iter().map(|row| row["bought"].clone()).collect();
    assert_eq!(bought, [3, 0, 2, 1]);
    let pairs: Vec<Value> = given.rows("product_pairs").await;
    let together = |low, high| {
        let of = |pair: &&Value| pair["low_id"] == json!(id(low)) && pair["high_id"] == json!(id(high));
        pairs.iter().find(of).map(|pair| pair["orders"].clone())
    };
    assert_eq!(together(SHOES, SOCKS), Some(json!(2)));
    assert_eq!((together(SHOES, BALL), together(SOCKS, BALL)), (Some(json!(1)), Some(json!(1))));
    assert_eq!(pairs.len(), 3);
}

#[tokio::test]
async fn a_long_order_pairs_only_its_first_lines() {
    let offers = (1..=60).flat_map(|number| offered(product(number, &[("ko", "가방")])));
    let events: Vec<_> = offers.chain([bought(900, 1..=60)]).collect();
    let given = given(Products, events).await.and_again().await;
    assert_eq!(given.rows("product_pairs").await.len(), 50 * 49 / 2);
    let bought = given.rows("products").await;
    assert!(bought.iter().all(|row| row["bought"] == json!(1)), "all its lines are counted");
}

#[tokio::test]
async fn what_is_bought_together_comes_first_then_the_category() {
    let like = |number, category: &str| {
        let created =
            product::Created { category: category.to_owned(), ..product(number, &[("ko", "가방")]) };
        offered(created)
    };
    let offers = [(1, "a"), (2, "a"), (3, "b"), (4, "a"), (5, "b"), (6, "a"), (7, "c")];
    let offers = offers.into_iter().flat_map(|(number, category)| like(number, category));
    let orders =
        [bought(90, [1, 3]), bought(91, [3, 1]), bought(92, [1, 5]), bought(93, [4]), bought(94, [7])];
    let events: Vec<_> = offers.chain(orders).collect();
    let given = given(Products, events).await;
    assert_eq!(recommended(&given, 1, 10).await, [3, 5, 4, 6, 2]);
    assert_eq!(recommended(&given, 1, 3).await, [3, 5, 4]);
    assert_eq!(recommended(&given, 3, 10).await, [1, 5]);
    assert_eq!(recommended(&given, 7, 10).await, [0; 0]);
    assert_eq!(recommended(&given, 99, 10).await, [0; 0]);
    let given = given.when([happened(3, product::Unpublished {})]).await;
    assert_eq!(recommended(&given, 1, 10).await, [5, 4, 6, 2]);
}
