use super::shop::{OPTIONS, all_is_well, number, rebuild, rebuild_with, shop};
use crate::rebuild::{Compared, Differences, Options};

async fn differences(history: &crate::history::History, name: &str) -> Differences {
    let outcome = rebuild(history, name).await.unwrap();
    assert_eq!(outcome.swapped, None);
    let Compared::Different(differences) = outcome.compared else { panic!("{:?}", outcome.compared) };
    differences
}

#[tokio::test]
async fn a_row_that_differs_is_named_and_nothing_is_swapped() {
    let history = shop(20).await;
    history.damage("UPDATE read.stock SET on_hand = 99, reorder_point = 1 WHERE sku = 'ITEM-7'").await;
    let found = differences(&history, "stock").await;
    assert_eq!(found.named, ["stock ITEM-7 differs in on_hand, reorder_point"]);
    assert_eq!(number(&history, "SELECT on_hand FROM stock WHERE sku = 'ITEM-7'").await, 99);

    let accepting = Options { accept_differences: true, ..OPTIONS };
    let outcome = rebuild_with(&history, "stock", accepting).await.unwrap();
    assert!(outcome.swapped.is_some() && matches!(outcome.compared, Compared::Different(_)), "{outcome:?}");
    assert_eq!(number(&history, "SELECT on_hand FROM stock WHERE sku = 'ITEM-7'").await, 10);
    all_is_well(&history).await;
}

#[tokio::test]
async fn rows_of_one_side_only_are_named_and_many_are_counted() {
    let history = shop(60).await;
    history.damage("DELETE FROM read.stock WHERE sku LIKE 'ITEM-%'").await;
    history
        .damage("INSERT INTO read.stock SELECT 'A-GHOST', product_id, 1, 1, 0, 0, updated_at FROM read.stock LIMIT 1")
        .await;
    let found = differences(&history, "stock").await;
    assert_eq!((found.count, found.named.len()), (61, 20));
    assert_eq!(found.named[0], "stock A-GHOST is only in the running rows");
    assert_eq!(found.named[1], "stock ITEM-0 is only in the new rows");
}

#[tokio::test]
async fn what_is_personal_is_not_told() {
    let history = shop(0).await;
    history.damage("UPDATE read.customers SET name = '김철수'").await;
    let found = differences(&history, "customers").await;
    let expected = format!("customers {} differs in name", crate::orders::examples::CUSTOMER);
    assert_eq!(found.named, [expected]);
}
