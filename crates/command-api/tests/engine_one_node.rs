use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use command_api::engine::{Error, Options};
use domain::{Command, StreamId, stock};
use event_store::testing::TestDatabase;
use event_store::{Position, Wanted};
use futures::future::join_all;
use tokio::sync::Barrier;

use crate::given::{
    ask, assert_gapless, cart, code, engine, engine_with, place, product, receive, sku, stock_in_log,
};

#[tokio::test(flavor = "multi_thread")]
async fn of_1000_buyers_at_once_exactly_as_many_get_a_piece_as_there_are() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, sku) = (engine(&store), sku());
    product(&engine, &sku, 500).await;
    let carts = join_all((0..1000).map(|_| cart(&engine, &sku))).await;
    let begin = Arc::new(Barrier::new(carts.len()));
    let buyers = carts.into_iter().map(|cart_id| {
        let (engine, begin) = (engine.clone(), Arc::clone(&begin));
        tokio::spawn(async move {
            begin.wait().await;
            ask(&engine, place(cart_id)).await
        })
    });
    let results: Vec<_> = join_all(buyers).await.into_iter().map(Result::unwrap).collect();
    let (placed, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(placed.len(), 500);
    assert!(refused.into_iter().all(|result| code(result) == "out-of-stock"));
    let stock = stock_in_log(&store, &sku).await;
    assert_eq!((stock.available(), stock.reserved()), (0, 500));
    assert_gapless(&store).await;
}

#[tokio::test]
async fn an_order_is_placed_whole_or_not_at_all() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, here, gone) = (engine(&store), sku(), sku());
    product(&engine, &here, 5).await;
    product(&engine, &gone, 0).await;
    let cart_id = cart(&engine, &here).await;
    let set = domain::cart::Command::SetItem {
        cart_id,
        by: domain::Actor::Guest(cart_id),
        sku: gone.clone(),
        quantity: 1,
    };
    ask(&engine, Command::Cart(set)).await.unwrap();
    let before = store.head().await.unwrap();
    assert_eq!(code(ask(&engine, place(cart_id)).await), "out-of-stock");
    assert_eq!(store.head().await.unwrap(), before);
    assert_eq!(stock_in_log(&store, &here).await.reserved(), 0);
}

#[tokio::test]
async fn if_match_is_honoured() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, sku) = (engine(&store), sku());
    product(&engine, &sku, 5).await;
    let actor = domain::Actor::system("test");
    let mut stale = crate::given::submission(actor.clone(), receive(&sku, 1));
    stale.if_match = Some(1);
    assert_eq!(engine.execute(stale).await, Err(Error::Stale { current: 2 }));
    let mut fits = crate::given::submission(actor, receive(&sku, 1));
    fits.if_match = Some(2);
    assert_eq!(engine.execute(fits).await.unwrap().version, Some(3));
}

#[tokio::test]
async fn if_match_tells_nobody_the_version_of_what_is_not_theirs() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, sku) = (engine(&store), sku());
    product(&engine, &sku, 5).await;
    let cart_id = cart(&engine, &sku).await;
    let stranger = domain::Actor::Guest(domain::ids::CartId(uuid::Uuid::now_v7()));
    let stale = |by: domain::Actor, quantity| {
        let set = domain::cart::Command::SetItem { cart_id, by: by.clone(), sku: sku.clone(), quantity };
        let mut stale = crate::given::submission(by, Command::Cart(set));
        stale.if_match = Some(77);
        stale
    };
    assert_eq!(code(engine.execute(stale(stranger, 1)).await), "not-found");
    let owner = domain::Actor::Guest(cart_id);
    assert_eq!(engine.execute(stale(owner.clone(), 1)).await, Err(Error::Stale { current: 2 }));
    // Another refusal is about a state that the caller has not seen.
    assert_eq!(engine.execute(stale(owner, u32::MAX)).await, Err(Error::Stale { current: 2 }));
}

#[tokio::test]
async fn a_long_stream_gets_snapshots_and_a_new_engine_goes_on_from_them() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let sku = sku();
    let first = engine_with(&store, Options { snapshot_every: 10, ..Options::default() });
    product(&first, &sku, 1).await;
    for _ in 0..40 {
        ask(&first, receive(&sku, 1)).await.unwrap();
    }
    let wanted = [Wanted { stream: StreamId::stock(&sku), after_version: 0 }];
    let begun = std::time::Instant::now();
    while store.load(&wanted).await.unwrap()[0].snapshot.as_ref().is_none_or(|(version, _)| *version < 40) {
        assert!(begun.elapsed().as_secs() < 30, "no snapshot was kept");
        tokio::task::yield_now().await;
    }
    let second = engine(&store);
    let take = |delta| {
        Command::Stock(stock::Command {
            sku: sku.clone(),
            action: stock::Action::Adjust { delta, reason: "test".to_owned() },
        })
    };
    assert_eq!(code(ask(&second, take(-42)).await), "invalid-quantity");
    ask(&second, take(-41)).await.unwrap();
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_rests_gets_snapshots_as_well() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let sku = sku();
    let engine = engine_with(&store, Options { snapshot_every: 50, ..Options::default() });
    product(&engine, &sku, 1).await;
    let enough = Arc::new(AtomicBool::new(false));
    let callers = (0..64).map(|_| {
        let (engine, sku, enough) = (engine.clone(), sku.clone(), Arc::clone(&enough));
        tokio::spawn(async move {
            let mut received = 0;
            while !enough.load(Ordering::Relaxed) && received < 2_000 {
                ask(&engine, receive(&sku, 1)).await.unwrap();
                received += 1;
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let wanted = [Wanted { stream: StreamId::stock(&sku), after_version: 0 }];
    // While they go on: the newest snapshot is never far behind.
    let mut behind = u32::MAX;
    for _ in 0..2 {
        let from = store.head().await.unwrap().position;
        store.wake().beyond(Position(from.0 + 2_000), Duration::from_secs(60)).await;
        let loaded = store.load(&wanted).await.unwrap().remove(0);
        assert!(loaded.snapshot.is_some(), "no snapshot was kept while events kept coming");
        behind = behind.min(loaded.events.len() as u32);
    }
    enough.store(true, Ordering::Relaxed);
    join_all(callers).await.into_iter().for_each(Result::unwrap);
    assert!(behind < 1_500, "the newest snapshot lacked {behind} events");
}
