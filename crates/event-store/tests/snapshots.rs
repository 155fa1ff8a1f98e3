use domain::{State, StreamId};
use event_store::Wanted;
use event_store::testing::TestDatabase;

use crate::given::{append, command, listed, received, sku};

#[tokio::test]
async fn a_stream_loaded_with_a_snapshot_is_the_stream_loaded_without() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let epoch = store.head().await.unwrap().epoch;
    let sku = sku();
    let stream = StreamId::stock(&sku);
    let mut events = vec![(stream.clone(), 1, listed(&sku))];
    events.extend((2..=50).map(|version| (stream.clone(), version, received(version))));
    append(&store, vec![command(events)]).await;
    let fold = |state: State, events: &[event_store::Recorded]| {
        events.iter().fold(state, |state, each| state.evolve(&each.event))
    };
    let wanted = |after_version| [Wanted { stream: stream.clone(), after_version }];
    let whole = store.load(&wanted(0)).await.unwrap().remove(0);
    assert_eq!((whole.version, whole.events.len(), whole.snapshot.is_none()), (50, 50, true));
    let all = fold(State::initial(stream.category()), &whole.events);
    let half = fold(State::initial(stream.category()), &whole.events[..30]);
    store.save_snapshots(epoch, &[(stream.clone(), 30, half.clone())]).await.unwrap();
    store.save_snapshots(epoch, &[(stream.clone(), 10, State::initial(stream.category()))]).await.unwrap();

    let with = store.load(&wanted(0)).await.unwrap().remove(0);
    let (version, state) = with.snapshot.unwrap();
    assert_eq!((version, &state), (30, &half), "an older snapshot never replaces a newer one");
    assert_eq!(with.events.len(), 20);
    assert_eq!(with.version, 50);
    assert_eq!(fold(state, &with.events), all);

    let tail = store.load(&wanted(45)).await.unwrap().remove(0);
    assert!(tail.snapshot.is_none(), "what is known already is not loaded again");
    assert_eq!(tail.events.len(), 5);
}

#[tokio::test]
async fn streams_are_loaded_together_and_an_empty_one_is_at_version_0() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, none) = (sku(), sku());
    append(&store, vec![command(vec![(StreamId::stock(&one), 1, listed(&one))])]).await;
    let wanted = [&none, &one].map(|sku| Wanted { stream: StreamId::stock(sku), after_version: 0 });
    let loaded = store.load(&wanted).await.unwrap();
    assert_eq!(loaded.iter().map(|each| each.version).collect::<Vec<_>>(), [0, 1]);
}

#[tokio::test]
async fn a_snapshot_of_a_version_that_the_log_does_not_have_is_not_kept() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let epoch = store.head().await.unwrap().epoch;
    let sku = sku();
    let stream = StreamId::stock(&sku);
    append(&store, vec![command(vec![(stream.clone(), 1, listed(&sku))])]).await;
    let state = State::initial(stream.category());
    store.save_snapshots(epoch, &[(stream.clone(), 2, state.clone())]).await.unwrap();
    let wanted = [Wanted { stream: stream.clone(), after_version: 0 }];
    assert!(store.load(&wanted).await.unwrap()[0].snapshot.is_none(), "the snapshot is ahead of its stream");
    store.save_snapshots(uuid::Uuid::nil(), &[(stream.clone(), 1, state.clone())]).await.unwrap();
    assert!(store.load(&wanted).await.unwrap()[0].snapshot.is_none(), "it was taken of another log");
    store.save_snapshots(epoch, &[(stream, 1, state)]).await.unwrap();
    assert!(store.load(&wanted).await.unwrap()[0].snapshot.is_some());
}

#[tokio::test]
async fn a_snapshot_that_cannot_be_read_is_as_good_as_none() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let epoch = store.head().await.unwrap().epoch;
    let (broken, whole) = (sku(), sku());
    for sku in [&broken, &whole] {
        let stream = StreamId::stock(sku);
        let events = (2..=5).map(|version| (stream.clone(), version, received(version)));
        append(
            &store,
            vec![command(std::iter::once((stream.clone(), 1, listed(sku))).chain(events).collect())],
        )
        .await;
        store.save_snapshots(epoch, &[(stream.clone(), 4, State::initial(stream.category()))]).await.unwrap();
    }
    for state in ["{}", "{\"category\": \"email\", \"state\": {}}"] {
        sqlx::query("UPDATE log.snapshots SET state = $1::json WHERE stream = $2")
            .bind(state)
            .bind(StreamId::stock(&broken).as_str())
            .execute(&database.pool)
            .await
            .unwrap();
        let wanted = [&whole, &broken].map(|sku| Wanted { stream: StreamId::stock(sku), after_version: 0 });
        let loaded = store.load(&wanted).await.unwrap();
        let found: Vec<_> =
            loaded.iter().map(|each| (each.version, each.events.len(), each.snapshot.is_some())).collect();
        assert_eq!(found, [(5, 1, true), (5, 5, false)], "{state}");
    }
}
