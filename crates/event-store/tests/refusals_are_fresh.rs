use domain::StreamId;
use event_store::Outcome;
use event_store::testing::TestDatabase;

use crate::given::{append, append_knowing, command, listed, received, sku};

#[tokio::test]
async fn a_refusal_on_a_stream_that_has_moved_is_not_given() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let sku = sku();
    let stream = StreamId::stock(&sku);
    append(&store, vec![command(vec![(stream.clone(), 1, listed(&sku))])]).await;
    let known = store.head().await.unwrap();
    let mut refusal = command(Vec::new());
    refusal.record = false;
    refusal.reads = vec![(stream.clone(), 1)];
    let fresh = append_knowing(&store, known, vec![refusal.clone()]).await;
    assert!(matches!(fresh.outcomes[..], [Outcome::Unchanged { .. }]));
    append(&store, vec![command(vec![(stream.clone(), 2, received(5))])]).await;
    let stale = append_knowing(&store, known, vec![refusal.clone()]).await;
    assert_eq!(stale.outcomes, [Outcome::Moved]);
    // The same beside a command that is appended.
    let other = crate::given::sku();
    let accepted = command(vec![(StreamId::stock(&other), 1, listed(&other))]);
    let mixed = append_knowing(&store, known, vec![refusal, accepted]).await;
    assert!(matches!(mixed.outcomes[..], [Outcome::Moved, Outcome::Appended { .. }]), "{mixed:?}");
    let commands: i64 =
        sqlx::query_scalar("SELECT count(*) FROM log.commands").fetch_one(&database.pool).await.unwrap();
    assert_eq!(commands, 3, "a refusal is not written down");
}

#[tokio::test]
async fn an_acceptance_that_only_looked_at_a_moved_stream_is_decided_again() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (price, order) = (sku(), sku());
    append(&store, vec![command(vec![(StreamId::stock(&price), 1, listed(&price))])]).await;
    let known = store.head().await.unwrap();
    append(&store, vec![command(vec![(StreamId::stock(&price), 2, received(5))])]).await;
    let mut places = command(vec![(StreamId::stock(&order), 1, listed(&order))]);
    places.reads.push((StreamId::stock(&price), 1));
    let appended = append_knowing(&store, known, vec![places]).await;
    assert_eq!(appended.outcomes, [Outcome::Moved]);
}
