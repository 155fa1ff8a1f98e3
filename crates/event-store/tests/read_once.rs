use std::time::{Duration, Instant};

use domain::customer::{self, Profile};
use domain::ids::{CustomerId, SubjectId};
use domain::text::{Email, Locale, PersonName};
use domain::{Event, Personal, StreamId};
use event_store::testing::TestDatabase;
use event_store::{EventStore, Position, Stretch};
use uuid::Uuid;

use crate::given::{append, cart_opened, command};

/// Nothing here takes longer, on any machine.
const DEADLINE: Duration = Duration::from_secs(30);

async fn append_cart(store: &EventStore) -> StreamId {
    let (stream, event) = cart_opened();
    append(store, vec![command(vec![(stream.clone(), 1, event)])]).await;
    stream
}

fn streams(stretch: &Stretch, after: Position) -> Vec<StreamId> {
    stretch.events_after(after).iter().map(|event| event.as_ref().unwrap().stream.clone()).collect()
}

#[tokio::test]
async fn what_one_has_read_the_others_are_given_for_a_moment() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let unplugged = store.with_pool(database.another_pool().await);
    unplugged.pool().close().await;
    let mut all = vec![append_cart(&store).await, append_cart(&store).await];
    let read = store.stretch_after(Position(0)).await.unwrap().unwrap();
    assert_eq!((streams(&read, Position(0)), read.through()), (all.clone(), Position(2)));
    let given = unplugged.stretch_after(Position(1)).await.unwrap().unwrap();
    assert_eq!(streams(&given, Position(1)), all[1..], "no connection was needed for it");
    assert!(unplugged.stretch_after(Position(2)).await.is_err(), "what nobody has read must be read");
    all.push(append_cart(&store).await);
    let more = store.stretch_after(Position(2)).await.unwrap().unwrap();
    assert_eq!(streams(&more, Position(2)), all[2..]);
    let begun = Instant::now();
    while unplugged.stretch_after(Position(0)).await.is_ok() {
        assert!(begun.elapsed() < DEADLINE, "it is kept for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn events_of_another_epoch_are_never_mixed_with_what_was_read_before() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    append_cart(&store).await;
    let before = store.stretch_after(Position(0)).await.unwrap().unwrap();
    let head = store.bump_epoch().await.unwrap();
    append_cart(&store).await;
    let after = store.stretch_after(Position(1)).await.unwrap().unwrap();
    assert_ne!(before.epoch, after.epoch);
    assert_eq!(after.epoch, head.epoch);
    let again = store.stretch_after(Position(0)).await.unwrap().unwrap();
    assert_eq!((again.epoch, again.through()), (head.epoch, Position(2)), "it was read again");
}

#[tokio::test]
async fn somebody_who_was_forgotten_is_not_remembered_here() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let customer_id = CustomerId(Uuid::now_v7());
    let (subject, email) = (SubjectId(customer_id.0), Email::parse("ada@example.com").unwrap());
    let name = PersonName::parse("Ada").unwrap();
    let registered = customer::Registered {
        customer_id,
        subject,
        email_index: store.email_index(&email),
        locale: Locale::parse("ko").unwrap(),
        personal: Personal::Known(Profile { email, name, phone: None }),
    };
    let event: Event = customer::Event::from(registered).into();
    append(&store, vec![command(vec![(StreamId::customer(customer_id), 1, event)])]).await;
    let is_known = |stretch: &Stretch| match &stretch.events_after(Position(0))[0].as_ref().unwrap().event {
        Event::Customer(customer::Event::Registered(registered)) => registered.personal.known().is_some(),
        other => panic!("{other:?}"),
    };
    assert!(is_known(&store.stretch_after(Position(0)).await.unwrap().unwrap()));
    store.destroy_key(subject).await.unwrap();
    assert!(!is_known(&store.stretch_after(Position(0)).await.unwrap().unwrap()));
}
