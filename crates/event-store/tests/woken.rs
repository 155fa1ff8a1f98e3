use event_store::testing::TestDatabase;

use crate::given::{append_knowing, cart_opened, command};

#[tokio::test]
async fn the_same_log_through_other_connections_is_woken_by_the_same_appends() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let other = store.with_pool(database.another_pool().await);
    let before = store.head().await.unwrap();
    let (stream, event) = cart_opened();
    let appended = append_knowing(&store, before, vec![command(vec![(stream.clone(), 1, event)])]).await;
    assert_eq!(other.wake().known(), store.wake().known());
    assert_eq!(other.head().await.unwrap(), appended.head);
    store.pool().close().await;
    assert_eq!(other.read_stream(&stream, 0).await.unwrap().len(), 1, "it has connections of its own");
}
