use domain::customer::{self, Profile};
use domain::ids::{CustomerId, SubjectId};
use domain::text::{Email, Locale, PersonName};
use domain::{Event, Personal, StreamId};
use event_store::testing::TestDatabase;
use event_store::{Error, EventStore, Filter, MasterKey, Position};
use uuid::Uuid;

use crate::given::{append, command};

const CANARY: &str = "canary-7f3a";

async fn registered(store: &EventStore) -> (StreamId, SubjectId) {
    let customer_id = CustomerId(Uuid::now_v7());
    let email = Email::parse(&format!("{CANARY}@example.com")).unwrap();
    let subject = SubjectId(customer_id.0);
    let registered = customer::Registered {
        customer_id,
        subject,
        email_index: store.email_index(&email),
        locale: Locale::parse("ko").unwrap(),
        personal: Personal::Known(Profile { email, name: PersonName::parse(CANARY).unwrap(), phone: None }),
    };
    let stream = StreamId::customer(customer_id);
    let event: Event = customer::Event::from(registered).into();
    append(store, vec![command(vec![(stream.clone(), 1, event)])]).await;
    (stream, subject)
}

fn name_of(event: &Event) -> Option<String> {
    let Event::Customer(customer::Event::Registered(registered)) = event else { panic!("{event:?}") };
    registered.personal.known().map(|profile| profile.name.to_string())
}

#[tokio::test]
async fn personal_data_never_reaches_the_database_in_clear_and_a_destroyed_key_forgets_it() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, subject) = registered(&store).await;
    let read = store.read_stream(&stream, 0).await.unwrap();
    assert_eq!(name_of(&read[0].event).as_deref(), Some(CANARY));
    let clear: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM log.events e WHERE e::text LIKE $1 OR encode(e.sealed, 'escape') LIKE $1",
    )
    .bind(format!("%{CANARY}%"))
    .fetch_one(&database.pool)
    .await
    .unwrap();
    assert_eq!(clear, 0);
    assert!(store.destroy_key(subject).await.unwrap());
    assert!(!store.destroy_key(subject).await.unwrap(), "once is for ever");
    let read = store.read(Position(0), 10, &Filter::default()).await.unwrap();
    assert_eq!(name_of(&read[0].event), None);
    let raw = store.read_raw(Position(0), 10, &Filter::default()).await.unwrap();
    assert!(!raw[0].data.get().contains(CANARY));
    assert_eq!(raw[0].subject, Some(subject));
}

#[tokio::test]
async fn what_is_written_after_forgetting_is_forgotten_at_once() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, subject) = registered(&store).await;
    store.destroy_key(subject).await.unwrap();
    let customer_id = CustomerId(subject.0);
    let edit = customer::ProfileEdit { name: Some(PersonName::parse("late").unwrap()), phone: None };
    let changed =
        customer::ProfileChanged { customer_id, subject, locale: None, personal: Personal::Known(edit) };
    append(&store, vec![command(vec![(stream.clone(), 2, customer::Event::from(changed).into())])]).await;
    let read = store.read_stream(&stream, 1).await.unwrap();
    let Event::Customer(customer::Event::ProfileChanged(changed)) = &read[0].event else {
        panic!("{read:?}")
    };
    assert_eq!(changed.personal, Personal::Forgotten);
}

#[tokio::test]
async fn sealed_data_that_was_moved_to_another_event_does_not_open() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    registered(&store).await;
    for statement in [
        "ALTER TABLE log.events DISABLE TRIGGER ALL",
        "UPDATE log.events SET stream = 'customer-00000000-0000-7000-8000-000000000001'",
    ] {
        sqlx::query(statement).execute(&database.pool).await.unwrap();
    }
    let read = store.read(Position(0), 10, &Filter::default()).await;
    assert!(matches!(read, Err(Error::Seal(_))), "{read:?}");
}

#[tokio::test]
async fn a_missing_key_is_an_error_and_not_forgetting() {
    let database = TestDatabase::create().await;
    let master = MasterKey::generate();
    let store = database.store_with(MasterKey::parse(&master.to_hex()).unwrap()).await;
    registered(&store).await;
    sqlx::query("DELETE FROM vault.subject_keys").execute(&database.pool).await.unwrap();
    let fresh = database.store_with(master).await;
    let read = fresh.read(Position(0), 10, &Filter::default()).await;
    assert!(matches!(read, Err(Error::KeyMissing(_))), "{read:?}");
}

#[tokio::test]
async fn another_master_key_stops_the_start() {
    let database = TestDatabase::create().await;
    database.store().await;
    let opened = EventStore::open(database.another_pool().await, MasterKey::generate()).await;
    assert!(matches!(opened, Err(Error::WrongMasterKey)));
}
