use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Category;
use event_store::testing::TestDatabase;
use event_store::{EventStore, Filter, Position, Recorded};

use crate::given::{append, cart_opened, command, listed, received, sku};

/// Everything that a replay says, in order.
async fn replayed(store: &EventStore, after: u64, until: u64, filter: &Filter) -> Vec<Recorded> {
    let mut replay = store.replay(Position(after), Position(until), filter).await.unwrap();
    let mut events = Vec::new();
    while let Some(page) = replay.next().await.unwrap() {
        events.extend(page.events.into_iter().map(Result::unwrap));
        assert!(events.last().is_none_or(|last| last.position <= page.through));
    }
    events
}

/// A log of so many events, some of each command.
async fn log(store: &EventStore, events: usize) {
    let sku = sku();
    let stream = domain::StreamId::stock(&sku);
    append(store, vec![command(vec![(stream.clone(), 1, listed(&sku))])]).await;
    let mut version = 1;
    while version < events {
        let commands = (0..500).map(|number| {
            let first = (version + number * 2) as u32;
            command(vec![(stream.clone(), first + 1, received(1)), (stream.clone(), first + 2, received(2))])
        });
        append(store, commands.collect()).await;
        version += 1_000;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_says_what_reading_says() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    log(&store, 9_000).await;
    let (stream, event) = cart_opened();
    append(&store, vec![command(vec![(stream.clone(), 1, event)])]).await;
    let all = store.read(Position(0), u32::MAX, &Filter::default()).await.unwrap();
    assert_eq!(replayed(&store, 0, u64::MAX, &Filter::default()).await, all);
    assert_eq!(replayed(&store, 10, 7_000, &Filter::default()).await, all[10..7_000]);
    assert_eq!(replayed(&store, 7_000, 7_000, &Filter::default()).await, []);

    let carts = Filter { categories: vec![Category::Cart], ..Filter::default() };
    assert_eq!(replayed(&store, 0, u64::MAX, &carts).await, all[all.len() - 1..]);
    let types = vec!["StockListed".to_owned(), "it's none".to_owned()];
    let types = Filter { types, until: Some(Position(3)), ..Filter::default() };
    assert_eq!(replayed(&store, 0, u64::MAX, &types).await, all[..1]);
    let of_stream = Filter { stream: Some(stream), ..Filter::default() };
    assert_eq!(replayed(&store, 0, u64::MAX, &of_stream).await, all[all.len() - 1..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_has_no_gaps_while_others_append() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let done = Arc::new(AtomicBool::new(false));
    let writers = (0..4).map(|_| {
        let (store, done) = (store.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            while !done.load(Ordering::Acquire) {
                let (stream, event) = cart_opened();
                append(&store, vec![command(vec![(stream, 1, event)])]).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut last = 0;
    while last < 500 {
        for event in replayed(&store, last, u64::MAX, &Filter::default()).await {
            assert_eq!(event.position.0, last + 1, "a gap");
            last = event.position.0;
        }
    }
    done.store(true, Ordering::Release);
    for writer in writers {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn one_that_breaks_off_is_no_end() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    // More than is read ahead.
    log(&store, 40_000).await;
    let mut replay = store.replay(Position(0), Position(u64::MAX), &Filter::default()).await.unwrap();
    assert!(replay.next().await.unwrap().is_some());
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database()")
        .execute(&database.pool)
        .await
        .unwrap();
    let mut through = Position(0);
    let failed = loop {
        match replay.next().await {
            Ok(Some(page)) => through = page.through,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    let head = store.head().await.unwrap().position;
    assert!(failed && through < head, "it has come to {through} of {head}");
    assert!(replay.next().await.is_err(), "it does not end as if that was all");
}
