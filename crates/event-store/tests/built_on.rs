//! Later commands of a batch build on events of earlier ones. When an earlier one is not appended, another node may have brought
//! the stream to just the version that the later one saw.

use domain::ids::OrderId;
use domain::{Event, State, StreamId, stock};
use event_store::testing::TestDatabase;
use event_store::{EventStore, Head, Outcome, Proposed};
use uuid::Uuid;

use crate::given::{append, append_knowing, command, listed, received, sku};

fn reserved(quantity: u32) -> Event {
    stock::Event::from(stock::Reserved { order_id: OrderId(Uuid::now_v7()), quantity }).into()
}

/// A stock item of ten pieces, at version 2, and where the log ends with it.
async fn ten_pieces(store: &EventStore) -> (StreamId, Head) {
    let sku = sku();
    let stream = StreamId::stock(&sku);
    let events = vec![(stream.clone(), 1, listed(&sku)), (stream.clone(), 2, received(10))];
    let head = append(store, vec![command(events)]).await.head;
    (stream, head)
}

async fn available(store: &EventStore, stream: &StreamId) -> i64 {
    let events = store.read_stream(stream, 0).await.unwrap();
    let state = events
        .iter()
        .fold(State::initial(stream.category()), |state, recorded| state.evolve(&recorded.event));
    let State::Stock(state) = state else { panic!("{state:?}") };
    state.available()
}

fn elsewhere() -> Proposed {
    let sku = sku();
    command(vec![(StreamId::stock(&sku), 1, listed(&sku))])
}

#[tokio::test]
async fn what_built_on_a_moved_command_moves_with_it_though_its_version_is_there() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, known) = ten_pieces(&store).await;
    append(&store, vec![command(vec![(stream.clone(), 3, reserved(10))])]).await;
    let first = command(vec![(stream.clone(), 3, reserved(1))]);
    let second = command(vec![(stream.clone(), 4, reserved(1))]);
    let mut refusal = command(Vec::new());
    refusal.record = false;
    refusal.reads = vec![(stream.clone(), 3)];
    let appended = append_knowing(&store, known, vec![first, refusal, second, elsewhere()]).await;
    assert!(
        matches!(
            appended.outcomes[..],
            [Outcome::Moved, Outcome::Moved, Outcome::Moved, Outcome::Appended { .. }]
        ),
        "{appended:?}"
    );
    assert_eq!(available(&store, &stream).await, 0, "more was sold than there is");
}

#[tokio::test]
async fn what_built_on_a_command_that_was_done_before_is_decided_again() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, known) = ten_pieces(&store).await;
    let first = command(vec![(stream.clone(), 3, reserved(10))]);
    append(&store, vec![first.clone()]).await;
    let mut again = command(vec![(stream.clone(), 3, reserved(1))]);
    again.key = first.key;
    let second = command(vec![(stream.clone(), 4, reserved(1))]);
    let appended = append_knowing(&store, known, vec![again, second]).await;
    assert!(matches!(appended.outcomes[..], [Outcome::Seen(_), Outcome::Moved]), "{appended:?}");
    assert_eq!(available(&store, &stream).await, 0, "more was sold than there is");
}

#[tokio::test]
async fn what_built_on_an_appended_command_is_appended_one_by_one_too() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, known) = ten_pieces(&store).await;
    let (other, _) = ten_pieces(&store).await;
    let moved = command(vec![(other.clone(), 2, received(1))]);
    let first = command(vec![(stream.clone(), 3, reserved(1)), (stream.clone(), 4, reserved(1))]);
    let second = command(vec![(stream.clone(), 5, reserved(1))]);
    let third = command(vec![(stream.clone(), 6, reserved(1))]);
    let appended = append_knowing(&store, known, vec![first, moved, second, third]).await;
    assert!(
        matches!(
            appended.outcomes[..],
            [Outcome::Appended { .. }, Outcome::Moved, Outcome::Appended { .. }, Outcome::Appended { .. }]
        ),
        "{appended:?}"
    );
    assert_eq!(available(&store, &stream).await, 6);
}
