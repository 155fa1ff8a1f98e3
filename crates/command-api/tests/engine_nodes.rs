use std::sync::Arc;

use domain::{Command, stock};
use event_store::testing::TestDatabase;
use futures::future::join_all;
use tokio::sync::Barrier;

use crate::given::{ask, assert_gapless, cart, code, engine, place, product, receive, sku, stock_in_log};

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_one_hot_item_sell_every_piece_once() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let nodes = [engine(&store), engine(&database.another_node(&store).await)];
    let sku = sku();
    product(&nodes[0], &sku, 150).await;
    let carts = join_all((0..300).map(|_| cart(&nodes[0], &sku))).await;
    let begin = Arc::new(Barrier::new(carts.len()));
    let buyers = carts.into_iter().enumerate().map(|(number, cart_id)| {
        let (engine, begin) = (nodes[number % 2].clone(), Arc::clone(&begin));
        tokio::spawn(async move {
            begin.wait().await;
            ask(&engine, place(cart_id)).await
        })
    });
    let results: Vec<_> = join_all(buyers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 150, "no caller sees a conflict");
    assert!(results.into_iter().filter(Result::is_err).all(|result| code(result) == "out-of-stock"));
    assert_eq!(stock_in_log(&store, &sku).await.available(), 0);
    assert_gapless(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_fight_for_one_stream_both_get_on() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let nodes = [engine(&store), engine(&database.another_node(&store).await)];
    let sku = sku();
    product(&nodes[0], &sku, 0).await;
    let begin = Arc::new(Barrier::new(16));
    let askers = (0..16).map(|number| {
        let (engine, begin, sku) = (nodes[number % 2].clone(), Arc::clone(&begin), sku.clone());
        tokio::spawn(async move {
            begin.wait().await;
            for _ in 0..25 {
                ask(&engine, receive(&sku, 1)).await.unwrap();
            }
        })
    });
    join_all(askers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 16 * 25);
    assert_gapless(&store).await;
}

#[tokio::test]
async fn a_node_never_refuses_on_what_was_so_once() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other) = (engine(&store), engine(&database.another_node(&store).await));
    let (sku, elsewhere) = (sku(), sku());
    product(&one, &sku, 0).await;
    product(&one, &elsewhere, 0).await;
    let take = || {
        Command::Stock(stock::Command {
            sku: sku.clone(),
            action: stock::Action::Adjust { delta: -1, reason: "test".to_owned() },
        })
    };
    assert_eq!(code(ask(&one, take()).await), "invalid-quantity");
    ask(&other, receive(&sku, 1)).await.unwrap();
    // The first node appends elsewhere, and so learns that the log has grown, but not where.
    ask(&one, receive(&elsewhere, 1)).await.unwrap();
    ask(&one, take()).await.unwrap();
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 0);
}

#[tokio::test]
async fn a_node_never_accepts_on_what_was_so_once() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other) = (engine(&store), engine(&database.another_node(&store).await));
    let (sku, elsewhere) = (sku(), sku());
    product(&one, &sku, 1).await;
    product(&one, &elsewhere, 0).await;
    let (mine, theirs) = (cart(&one, &sku).await, cart(&one, &sku).await);
    ask(&other, place(theirs)).await.unwrap();
    ask(&one, receive(&elsewhere, 1)).await.unwrap();
    assert_eq!(code(ask(&one, place(mine)).await), "out-of-stock");
}
