use domain::StreamId;
use event_store::testing::TestDatabase;
use event_store::{Filter, Outcome, Position};

use crate::given::{append, append_knowing, cart_opened, command, listed, received, sku};

#[tokio::test]
async fn a_command_that_touches_several_streams_is_appended_whole_or_not_at_all() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (first, second) = (sku(), sku());
    append(&store, vec![command(vec![(StreamId::stock(&first), 1, listed(&first))])]).await;
    let before = store.head().await.unwrap();
    // The second stream is new and fits, the first is at version 1 already.
    let both = command(vec![
        (StreamId::stock(&second), 1, listed(&second)),
        (StreamId::stock(&first), 1, listed(&first)),
    ]);
    let appended = append(&store, vec![both]).await;
    assert_eq!(appended.outcomes, [Outcome::Moved]);
    assert_eq!(store.head().await.unwrap(), before);
    assert!(store.read_stream(&StreamId::stock(&second), 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_moved_command_holds_up_only_those_that_build_on_it() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (hot, other) = (sku(), sku());
    let stream = StreamId::stock(&hot);
    let stale = store.head().await.unwrap();
    append(&store, vec![command(vec![(stream.clone(), 1, listed(&hot))])]).await;
    let moved = command(vec![(stream.clone(), 1, listed(&hot))]);
    let builds_on_it = command(vec![(stream.clone(), 2, received(5))]);
    let stands_alone = command(vec![(StreamId::stock(&other), 1, listed(&other))]);
    let appended = append_knowing(&store, stale, vec![moved, builds_on_it, stands_alone]).await;
    assert_eq!(appended.outcomes[..2], [Outcome::Moved, Outcome::Moved]);
    assert!(matches!(appended.outcomes[2], Outcome::Appended { .. }));
    let events = store.read(Position(0), 100, &Filter::default()).await.unwrap();
    assert_eq!(events.len(), 2);
}

#[tokio::test]
async fn a_command_that_builds_on_a_moved_one_is_moved_with_it() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (hot, fresh) = (sku(), sku());
    let stale = store.head().await.unwrap();
    append(&store, vec![command(vec![(StreamId::stock(&hot), 1, listed(&hot))])]).await;
    let moved =
        command(vec![(StreamId::stock(&hot), 1, listed(&hot)), (StreamId::stock(&fresh), 1, listed(&fresh))]);
    let builds_on_it = command(vec![(StreamId::stock(&fresh), 2, received(5))]);
    let appended = append_knowing(&store, stale, vec![moved, builds_on_it]).await;
    assert_eq!(appended.outcomes, [Outcome::Moved, Outcome::Moved]);
    assert_eq!(store.head().await.unwrap().position.0, 1);
}

#[tokio::test]
async fn an_append_to_a_log_of_another_epoch_does_nothing() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let before = store.head().await.unwrap();
    store.bump_epoch().await.unwrap();
    let (stream, event) = cart_opened();
    let batch = event_store::Batch {
        known: before,
        node: uuid::Uuid::now_v7(),
        commands: vec![command(vec![(stream, 1, event)])],
    };
    assert!(matches!(store.append(&batch).await, Err(event_store::Error::EpochMoved)));
    assert_eq!(store.head().await.unwrap().position.0, 0);
}
