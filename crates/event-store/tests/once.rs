use event_store::testing::TestDatabase;
use event_store::{Outcome, Position};

use crate::given::{append, cart_opened, command};

#[tokio::test]
async fn the_same_command_again_is_answered_with_its_first_answer() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, event) = cart_opened();
    let first = command(vec![(stream, 1, event)]);
    append(&store, vec![first.clone()]).await;
    let (stream, event) = cart_opened();
    let mut again = command(vec![(stream, 1, event)]);
    again.key = first.key;
    again.answer = "{\"second\": true}".to_owned();
    let appended = append(&store, vec![again]).await;
    let [Outcome::Seen(seen)] = &appended.outcomes[..] else { panic!("{appended:?}") };
    assert_eq!(seen.answer, first.answer);
    assert_eq!(seen.fingerprint, first.fingerprint);
    assert_eq!(seen.last, Some(Position(1)));
    assert_eq!(appended.head.position.0, 1);
}

#[tokio::test]
async fn the_same_command_twice_in_one_batch_is_done_once() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, event) = cart_opened();
    let first = command(vec![(stream, 1, event)]);
    let (stream, event) = cart_opened();
    let mut twin = command(vec![(stream, 1, event)]);
    twin.key = first.key;
    let appended = append(&store, vec![first, twin]).await;
    assert!(matches!(&appended.outcomes[..], [Outcome::Appended { .. }, Outcome::Seen(_)]), "{appended:?}");
    assert_eq!(appended.head.position.0, 1);
}

#[tokio::test]
async fn equal_keys_of_different_callers_are_different_commands() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, event) = cart_opened();
    let first = command(vec![(stream, 1, event)]);
    let (stream, event) = cart_opened();
    let mut other = command(vec![(stream, 1, event)]);
    other.key.id = first.key.id;
    other.key.scope = 42;
    let appended = append(&store, vec![first, other]).await;
    assert!(
        matches!(&appended.outcomes[..], [Outcome::Appended { .. }, Outcome::Appended { .. }]),
        "{appended:?}"
    );
}
