use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::StreamId;
use event_store::testing::TestDatabase;
use event_store::{EventStore, Filter, Outcome, Position};
use tokio::sync::Barrier;

use crate::given::{append_knowing, cart_opened, command, listed, received, sku};

/// Appends new streams and fights for one that all writers share; gives back how often it won.
async fn write(store: EventStore, shared: StreamId, begin: Arc<Barrier>) -> u32 {
    begin.wait().await;
    let (mut known, mut version, mut won) = (store.head().await.unwrap(), 1, 0);
    for _ in 0..40 {
        let (stream, event) = cart_opened();
        let own = command(vec![(stream, 1, event)]);
        let fought_for = command(vec![(shared.clone(), version + 1, received(1))]);
        let appended = append_knowing(&store, known, vec![own, fought_for]).await;
        known = appended.head;
        assert!(matches!(appended.outcomes[0], Outcome::Appended { .. }));
        if matches!(appended.outcomes[1], Outcome::Appended { .. }) {
            won += 1;
        }
        version = store.read_stream(&shared, 0).await.unwrap().len() as u32;
    }
    won
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_have_no_gaps_and_readers_never_see_one_while_nodes_write() {
    let database = TestDatabase::create().await;
    let shared_sku = sku();
    let shared = StreamId::stock(&shared_sku);
    let first = database.store().await;
    append_knowing(
        &first,
        first.head().await.unwrap(),
        vec![command(vec![(shared.clone(), 1, listed(&shared_sku))])],
    )
    .await;
    let begin = Arc::new(Barrier::new(6));
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, done) = (first.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            let mut next = 1;
            while !done.load(Ordering::Acquire) {
                for event in store.read(Position(next - 1), 500, &Filter::default()).await.unwrap() {
                    assert_eq!(event.position.0, next, "a reader saw a gap");
                    next += 1;
                }
            }
        })
    };
    let mut writers = Vec::new();
    for _ in 0..6 {
        // Each is a node of its own, with connections of its own.
        let store = EventStore::open(database.another_pool().await, event_store::MasterKey::generate()).await;
        let store = store.unwrap_or_else(|_| first.clone());
        writers.push(tokio::spawn(write(store, shared.clone(), Arc::clone(&begin))));
    }
    let mut won = Vec::new();
    for writer in writers {
        won.push(writer.await.unwrap());
    }
    done.store(true, Ordering::Release);
    reader.await.unwrap();
    assert!(won.iter().all(|won| *won > 0), "somebody starved: {won:?}");
    let events = first.read(Position(0), 10_000, &Filter::default()).await.unwrap();
    let expected = 1 + 6 * 40 + u64::from(won.iter().sum::<u32>());
    assert_eq!(events.len() as u64, expected);
    assert!(events.iter().zip(1..).all(|(event, position)| event.position.0 == position));
    assert_eq!(first.head().await.unwrap().position.0, expected);
    let versions: Vec<_> =
        first.read_stream(&shared, 0).await.unwrap().iter().map(|event| event.version).collect();
    assert!(versions.iter().zip(1..).all(|(version, expected)| *version == expected));
}

#[tokio::test]
async fn a_feed_wakes_when_there_is_more() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let mut feed = store.feed(Position(0));
    let following = tokio::spawn(async move { feed.next(10).await.unwrap() });
    let (stream, event) = cart_opened();
    append_knowing(&store, store.head().await.unwrap(), vec![command(vec![(stream.clone(), 1, event)])])
        .await;
    let events = tokio::time::timeout(std::time::Duration::from_secs(30), following).await.unwrap().unwrap();
    assert!(matches!(&events[..], [Ok(event)] if event.stream == stream), "{events:?}");
}
