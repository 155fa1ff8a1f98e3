//! A batch may be sent behind another one that is not answered yet. It comes right after that one, or not at all.

use event_store::testing::TestDatabase;
use event_store::{Appended, Batch, Encoded, EventStore, Filter, Front, Head, Outcome, Position, Proposed};
use uuid::Uuid;

use crate::given::{append, cart_opened, command};

struct Ready {
    batch: Batch,
    encoded: Vec<Encoded>,
}

/// A batch of so many carts for a log that ends there.
fn carts(count: usize, known: Head) -> Ready {
    let cart = |_| {
        let (stream, event) = cart_opened();
        command(vec![(stream, 1, event)])
    };
    ready((0..count).map(cart).collect(), known)
}

fn ready(commands: Vec<Proposed>, known: Head) -> Ready {
    let encoded = commands.iter().map(|command| command.encode().unwrap()).collect();
    Ready { batch: Batch { known, node: Uuid::now_v7(), commands }, encoded }
}

impl Ready {
    async fn append(&self, store: &EventStore) -> Appended {
        store.append_encoded(&self.batch, &self.encoded).await.unwrap()
    }

    async fn append_behind(&self, store: &EventStore, other: &Self) -> Option<Appended> {
        let front = Front::of(&other.batch, &other.encoded).unwrap();
        store.append_behind(&self.batch, &self.encoded, front).await.unwrap()
    }
}

/// A log with one event, whose connection for appends is there.
async fn begun(database: &TestDatabase) -> (EventStore, Head) {
    let store = database.store().await;
    let (stream, event) = cart_opened();
    append(&store, vec![command(vec![(stream, 1, event)])]).await;
    let (stream, event) = cart_opened();
    let head = append(&store, vec![command(vec![(stream, 1, event)])]).await.head;
    (store, head)
}

fn after(head: Head, events: u64) -> Head {
    Head { position: Position(head.position.0 + events), ..head }
}

#[tokio::test]
async fn two_batches_are_on_their_way_at_once_and_come_in_order() {
    let database = TestDatabase::create().await;
    let (store, mut head) = begun(&database).await;
    for (one, other) in [(1, 1), (3, 1), (1, 2), (5, 4)] {
        let (first, second) = (carts(one, head), carts(other, after(head, one as u64)));
        let (appended, behind) = tokio::join!(first.append(&store), second.append_behind(&store, &first));
        assert_eq!(appended.head, after(head, one as u64));
        let behind = behind.expect("it comes right behind");
        head = after(head, (one + other) as u64);
        assert_eq!(behind.head, head);
        assert!(behind.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Appended { .. })));
    }
    assert_eq!(store.head().await.unwrap(), head);
}

/// As many events of somebody else's bring the log to the very position that was expected.
#[tokio::test]
async fn it_follows_nobody_elses_events() {
    let database = TestDatabase::create().await;
    let (store, _) = begun(&database).await;
    let other = database.another_node(&store).await;
    for lost in [1, 3] {
        let head = store.head().await.unwrap();
        let (first, second) = (carts(lost, head), carts(2, after(head, lost as u64)));
        carts(lost, head).append(&other).await;
        assert_eq!(second.append_behind(&store, &first).await, None);
        assert_eq!(store.head().await.unwrap(), after(head, lost as u64), "nothing was done");
    }
}

#[tokio::test]
async fn when_the_first_comes_later_than_was_thought_the_second_does_not_come() {
    let database = TestDatabase::create().await;
    let (store, head) = begun(&database).await;
    let other = database.another_node(&store).await;
    let (first, second) = (carts(1, head), carts(1, after(head, 1)));
    carts(1, head).append(&other).await;
    let (appended, behind) = tokio::join!(first.append(&store), second.append_behind(&store, &first));
    assert_eq!((appended.head, behind), (after(head, 2), None));
    // Sent again by itself it is appended, once.
    second.append(&store).await;
    let again = second.append(&store).await;
    assert!(matches!(again.outcomes[..], [Outcome::Seen(_)]), "{again:?}");
}

/// A part of the batch in front is there, and as much of somebody else's as is missing of it.
#[tokio::test]
async fn it_follows_no_part_of_a_batch() {
    let database = TestDatabase::create().await;
    let (store, head) = begun(&database).await;
    let other = database.another_node(&store).await;
    let cart = || {
        let (stream, event) = cart_opened();
        command(vec![(stream, 1, event)])
    };
    let done = cart();
    let head = ready(vec![done.clone()], head).append(&store).await.head;
    // The one in front is the other node's, so that nothing disturbs this one's way. Its last event is where it was expected.
    let (first, second) = (ready(vec![done.clone(), cart()], head), carts(1, after(head, 2)));
    carts(1, head).append(&store).await;
    assert_eq!(first.append(&other).await.head, after(head, 2));
    assert!(store.is_undisturbed());
    assert_eq!(second.append_behind(&store, &first).await, None);
    // Its first one is.
    let head = after(head, 2);
    let (first, second) = (ready(vec![cart(), done], head), carts(1, after(head, 2)));
    let third = database.another_node(&store).await;
    assert_eq!(first.append(&other).await.head, after(head, 1));
    carts(1, after(head, 1)).append(&third).await;
    assert!(store.is_undisturbed());
    assert_eq!(second.append_behind(&store, &first).await, None);
    // With all of it the same goes behind.
    let head = after(head, 2);
    let (first, second) = (carts(2, head), carts(1, after(head, 2)));
    first.append(&third).await;
    assert_eq!(
        second.append_behind(&store, &first).await.map(|appended| appended.head),
        Some(after(head, 3))
    );
}

/// Nothing of a batch is there when some of it cannot be.
#[tokio::test]
async fn it_comes_whole_or_not_at_all() {
    let database = TestDatabase::create().await;
    let (store, head) = begun(&database).await;
    let (stream, event) = cart_opened();
    let taken = command(vec![(stream.clone(), 1, event.clone())]);
    let first = ready(vec![taken], head);
    let (fresh, opened) = cart_opened();
    let twice = ready(
        vec![command(vec![(fresh.clone(), 1, opened)]), command(vec![(stream, 1, event)])],
        after(head, 1),
    );
    let (appended, behind) = tokio::join!(first.append(&store), twice.append_behind(&store, &first));
    assert_eq!((appended.head, behind), (after(head, 1), None));
    let events = store.read(Position(0), 100, &Filter::default()).await.unwrap();
    assert!(events.iter().all(|event| event.stream != fresh), "a part of it is there");
}
