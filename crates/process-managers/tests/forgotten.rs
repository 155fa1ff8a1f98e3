//! People who are forgotten.

use domain::customer::{self, Profile};
use domain::ids::{CustomerId, SubjectId};
use domain::order::Status;
use domain::text::{Email, Locale, PersonName};
use domain::{Command, Event, Personal, StreamId};
use http_surface::auth::Role;
use secrecy::SecretString;
use uuid::Uuid;

use crate::given::House;
use crate::shop::{Order, product};

async fn register(house: &House, customer_id: CustomerId) {
    let email = Email::parse(&format!("{customer_id}@example.com")).unwrap();
    let email_index = house.store.email_index(&email);
    let accounts = command_api::accounts::Accounts::new(house.database.pool.clone());
    let password = SecretString::from("a good and long password".to_owned());
    accounts.add(&email_index, &password, customer_id.0, &[Role::Customer]).await.unwrap();
    let profile = Profile { email, name: PersonName::parse("홍길동").unwrap(), phone: None };
    let locale = Locale::parse("ko").unwrap();
    house
        .ask(Command::Customer(customer::Command::Register { customer_id, email_index, locale, profile }))
        .await;
}

async fn accounts(house: &House) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM vault.credentials")
        .fetch_one(&house.database.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_forgotten_loses_the_key_and_the_account() {
    let house = House::build().await;
    let running = house.run();
    let customer_id = CustomerId(Uuid::now_v7());
    register(&house, customer_id).await;
    assert_eq!(accounts(&house).await, 1);
    house.ask(Command::Customer(customer::Command::Forget { customer_id })).await;
    house.quiet().await;
    assert_eq!(accounts(&house).await, 0);
    // As a reader sees it that has nothing in memory.
    let fresh = house.database.another_node(&house.store).await;
    let events = fresh.read_stream(&StreamId::customer(customer_id), 0).await.unwrap();
    let Event::Customer(customer::Event::Registered(registered)) = &events[0].event else {
        panic!("{events:?}")
    };
    assert_eq!(registered.personal, Personal::Forgotten);
    running.stop().await;
}

/// The token was forgotten before anybody asked the gateway: nothing can be asked for any more, and nothing was.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_token_is_forgotten_is_declined() {
    let house = House::build().await;
    let customer_id = CustomerId(Uuid::now_v7());
    register(&house, customer_id).await;
    let sku = product(&house.engine, 10).await;
    let order = Order { customer: Some(customer_id), ..Order::of(&sku, "approve") };
    let ordered = order.place(&house.engine).await;
    assert!(house.store.destroy_key(SubjectId(customer_id.0)).await.unwrap());
    let running = house.run();
    house.until_order(&ordered, Status::PaymentFailed).await;
    assert_eq!(house.available(&ordered).await, 10);
    assert_eq!(house.gateway.count(ordered.payment_id, "accepted").await, 0);
    running.stop().await;
}
