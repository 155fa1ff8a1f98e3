//! Every step repeated changes nothing.

use domain::Command;
use domain::customer;
use domain::ids::{CustomerId, ReturnId, ShipmentId};
use domain::order::Status;
use uuid::Uuid;

use crate::given::House;
use crate::shop::PRICE;

/// Orders that between them have every kind of step.
async fn every_kind_of_step(house: &House) {
    let (sent, cancelled) = (house.order("approve").await, house.order("approve").await);
    let declined = house.order("decline").await;
    let unanswered = house.order("timeout_after_charge").await;
    house.until_order(&sent, Status::Confirmed).await;
    house.until_order(&cancelled, Status::Confirmed).await;
    house.until_order(&declined, Status::PaymentFailed).await;
    house.until_order(&unanswered, Status::Confirmed).await;
    let (shipment, back) = (ShipmentId(Uuid::now_v7()), ReturnId(Uuid::now_v7()));
    house.ask(sent.ship(shipment)).await;
    house.ask(sent.deliver(shipment)).await;
    house.ask(sent.ask_return(back)).await;
    house.ask(sent.receive_return(back)).await;
    house.ask(cancelled.cancel()).await;
    house.ask(unanswered.ship(ShipmentId(Uuid::now_v7()))).await;
    house.ask(unanswered.refund(PRICE / 2)).await;
    let customer_id = CustomerId(Uuid::now_v7());
    let email = domain::text::Email::parse("somebody@example.com").unwrap();
    let email_index = house.store.email_index(&email);
    let name = domain::text::PersonName::parse("홍길동").unwrap();
    let profile = customer::Profile { email, name, phone: None };
    let locale = domain::text::Locale::parse("ko").unwrap();
    house
        .ask(Command::Customer(customer::Command::Register { customer_id, email_index, locale, profile }))
        .await;
    house.ask(Command::Customer(customer::Command::Forget { customer_id })).await;
    house.quiet().await;
}

/// Runs until everything is done, with `again` done to the tables before; nothing may have changed.
async fn nothing_changes(house: &House, again: &str) {
    let (log, ledger) = (house.log().await, house.gateway.ledger().await);
    let mut connection = house.database.pool.acquire().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(again.to_owned())).execute(&mut *connection).await.unwrap();
    drop(connection);
    let running = house.run();
    house.quiet().await;
    running.stop().await;
    assert_eq!(house.log().await, log);
    assert_eq!(house.gateway.ledger().await, ledger);
    let attention: i64 =
        sqlx::query_scalar("SELECT count(*) FROM process.steps WHERE attention_at IS NOT NULL")
            .fetch_one(&house.database.pool)
            .await
            .unwrap();
    assert_eq!(attention, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_done_again_changes_nothing() {
    let house = House::build().await;
    let running = house.run();
    every_kind_of_step(&house).await;
    running.stop().await;
    let kinds: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT step ->> 'step' FROM process.steps ORDER BY 1")
            .fetch_all(&house.database.pool)
            .await
            .unwrap();
    assert_eq!(kinds, ["authorise", "capture", "destroy_key", "expire", "notify", "refund", "void"]);
    // As after a crash before it was written down that they are done.
    nothing_changes(&house, "UPDATE process.steps SET done_at = NULL, due_at = now()").await;
    // As if each were tried for the first time.
    nothing_changes(&house, "UPDATE process.steps SET done_at = NULL, due_at = now(), attempts = 0").await;
    // As if the log were taken in again from its beginning: what is written down is not written down again.
    nothing_changes(&house, "UPDATE process.checkpoint SET position = 0").await;
    // As if nobody had ever run.
    nothing_changes(&house, "DELETE FROM process.steps; DELETE FROM process.checkpoint").await;
}
