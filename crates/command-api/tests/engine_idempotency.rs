use std::sync::Arc;

use command_api::engine::Error;
use domain::Actor;
use event_store::testing::TestDatabase;
use futures::future::join_all;
use tokio::sync::Barrier;

use crate::given::{cart, engine, place, product, receive, sku, stock_in_log, submission};

#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_with_one_key_are_one_command() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, sku) = (engine(&store), sku());
    product(&engine, &sku, 0).await;
    let same = submission(Actor::system("test"), receive(&sku, 3));
    let begin = Arc::new(Barrier::new(50));
    let askers = (0..50).map(|number| {
        let (engine, begin, mut same) = (engine.clone(), Arc::clone(&begin), same.clone());
        same.answer = serde_json::json!({"number": number});
        tokio::spawn(async move {
            begin.wait().await;
            engine.execute(same).await.unwrap()
        })
    });
    let receipts: Vec<_> = join_all(askers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(receipts.iter().filter(|receipt| !receipt.replayed).count(), 1);
    assert!(receipts.iter().all(|receipt| receipt.answer == receipts[0].answer), "all get the first answer");
    assert!(receipts.iter().all(|receipt| receipt.head == receipts[0].head));
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 3);
}

#[tokio::test]
async fn a_command_that_could_not_be_done_again_is_answered_as_the_first_time() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other, sku) = (engine(&store), engine(&database.another_node(&store).await), sku());
    product(&one, &sku, 1).await;
    let cart_id = cart(&one, &sku).await;
    let order = submission(Actor::Guest(cart_id), place(cart_id));
    let first = one.execute(order.clone()).await.unwrap();
    // The cart is closed and the piece is gone now; still it is the same command.
    for engine in [&one, &other] {
        let again = engine.execute(order.clone()).await.unwrap();
        assert!(again.replayed);
        assert_eq!((again.answer, again.head), (first.answer.clone(), first.head));
    }
    let mut another_body = order;
    another_body.fingerprint = [8; 32];
    assert_eq!(other.execute(another_body).await, Err(Error::KeyReused));
}

#[tokio::test]
async fn a_key_of_a_command_that_was_accepted_stays_bound_when_it_would_be_accepted_again() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, sku) = (engine(&store), sku());
    product(&engine, &sku, 0).await;
    let first = submission(Actor::system("test"), receive(&sku, 3));
    engine.execute(first.clone()).await.unwrap();
    assert!(engine.execute(first.clone()).await.unwrap().replayed);
    engine.execute(submission(Actor::system("test"), receive(&sku, 4))).await.unwrap();
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 7);
}
