//! Whoever appends may give up waiting. What comes next is not mistaken for what was asked then.

use event_store::testing::TestDatabase;
use event_store::{Batch, Filter, Outcome, Position};
use uuid::Uuid;

use crate::given::{append, cart_opened, command};

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_given_up_disturbs_none_that_follows() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let mut own = Vec::new();
    for _ in 0..30 {
        let (stream, event) = cart_opened();
        let known = store.head().await.unwrap();
        let commands = vec![command(vec![(stream, 1, event)])];
        let batch = Batch { known, node: Uuid::now_v7(), commands };
        // Sent, and left at once: it may be appended or not.
        let mut given_up = Box::pin(store.append(&batch));
        let _ = futures::poll!(&mut given_up);
        drop(given_up);
        let (stream, event) = cart_opened();
        let appended = append(&store, vec![command(vec![(stream.clone(), 1, event)])]).await;
        let [Outcome::Appended { first, last }] = appended.outcomes[..] else { panic!("{appended:?}") };
        assert_eq!((first, last), (appended.head.position, appended.head.position));
        own.push((first, stream));
    }
    let events = store.read(Position(0), 1_000, &Filter::default()).await.unwrap();
    assert!(events.iter().zip(1..).all(|(event, position)| event.position.0 == position));
    for (position, stream) in own {
        assert!(events.iter().any(|event| event.position == position && event.stream == stream), "{stream}");
    }
}
