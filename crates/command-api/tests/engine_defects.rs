//! What one command cannot do stops no other one.

use std::time::{Duration, Instant};

use command_api::engine::Error;
use domain::text::Sku;
use domain::{Command, Event, StreamId, stock};
use event_store::testing::TestDatabase;
use event_store::{Batch, CommandKey, EventStore, Proposed};
use futures::future::join_all;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::given::{ask, assert_gapless, code, engine, product, receive, sku, stock_in_log, submission};

fn adjust(sku: &Sku, delta: i64) -> Command {
    let action = stock::Action::Adjust { delta, reason: "test".to_owned() };
    Command::Stock(stock::Command { sku: sku.clone(), action })
}

/// From now on the log takes no more receipts of that item, for a reason that does not go away.
async fn poison(database: &TestDatabase, sku: &Sku) {
    let sql = format!(
        "CREATE FUNCTION log.poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poison'; END $$;
         CREATE TRIGGER poison BEFORE INSERT ON log.events FOR EACH ROW
         WHEN (NEW.stream = '{}' AND NEW.type = 'StockReceived') EXECUTE FUNCTION log.poison()",
        StreamId::stock(sku)
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&database.pool).await.unwrap();
}

#[tokio::test]
async fn a_command_that_the_log_does_not_take_fails_alone_and_at_once() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, good, bad) = (engine(&store), sku(), sku());
    product(&engine, &good, 0).await;
    product(&engine, &bad, 0).await;
    poison(&database, &bad).await;
    let begun = Instant::now();
    // On one thread all of them wait before the engine looks: they are one batch.
    let asked = (0..40).map(|number| {
        let sku = if number == 17 { &bad } else { &good };
        ask(&engine, receive(sku, 1))
    });
    let results = join_all(asked).await;
    for (number, result) in results.into_iter().enumerate() {
        match number {
            17 => assert_eq!(result, Err(Error::Defect)),
            _ => assert!(result.is_ok(), "{number}: {result:?}"),
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "a defect holds everybody up");
    assert_eq!(stock_in_log(&store, &good).await.on_hand(), 39);
    assert_gapless(&store).await;
}

/// Listed by a node that is not asked again.
async fn three_items(store: &EventStore) -> [Sku; 3] {
    let (one, items) = (engine(store), [sku(), sku(), sku()]);
    for item in &items {
        product(&one, item, 0).await;
    }
    items
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_stops_only_its_own_commands() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let [good, bad, better] = three_items(&store).await;
    let newer = format!(
        "INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id, metadata, data)
         SELECT position + 1, 2, 1, '{}', 'StockOfTheFuture', gen_random_uuid(), now(), 0, gen_random_uuid(),
                '{{\"correlation_id\": \"00000000-0000-0000-0000-000000000000\", \"actor\": {{\"kind\": \"system\", \"id\": \"test\"}}}}', '{{}}'
           FROM log.head;
         UPDATE log.head SET position = position + 1",
        StreamId::stock(&bad)
    );
    sqlx::raw_sql(AssertSqlSafe(newer)).execute(&database.pool).await.unwrap();
    let fresh = engine(&store);
    let results = join_all([&good, &bad, &better].map(|sku| ask(&fresh, receive(sku, 1)))).await;
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    assert_eq!(results[1], Err(Error::Defect));
}

/// So often as many pieces come in as a number can hold. No rule lets them.
async fn overflow(store: &EventStore, sku: &Sku, times: u32) {
    let stream = StreamId::stock(sku);
    let event: Event =
        stock::Event::from(stock::Adjusted { delta: i64::MAX, reason: "test".to_owned() }).into();
    let adjusted = Proposed {
        key: CommandKey { scope: 0, id: Uuid::now_v7() },
        fingerprint: [0; 32],
        metadata: submission(domain::Actor::system("test"), receive(sku, 1)).metadata,
        answer: "null".to_owned(),
        at: chrono::Utc::now(),
        record: true,
        events: (2..2 + times).map(|version| (stream.clone(), version, event.clone())).collect(),
        reads: vec![(stream, 1)],
    };
    let known = store.head().await.unwrap();
    store.append(&Batch { known, node: Uuid::now_v7(), commands: vec![adjusted] }).await.unwrap();
}

#[tokio::test]
async fn a_stream_whose_events_make_no_state_stops_only_its_own_commands() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let [good, bad, better] = three_items(&store).await;
    overflow(&store, &bad, 2).await;
    let fresh = engine(&store);
    for _ in 0..2 {
        let results = join_all([&good, &bad, &better].map(|sku| ask(&fresh, receive(sku, 1)))).await;
        assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
        assert_eq!(results[1], Err(Error::Defect));
    }
}

#[tokio::test]
async fn a_command_that_cannot_be_decided_takes_no_other_with_it() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let [good, bad, better] = three_items(&store).await;
    // One more is a sum that nobody can make.
    overflow(&store, &bad, 1).await;
    let fresh = engine(&store);
    let results = join_all([&good, &bad, &good, &better].map(|sku| ask(&fresh, receive(sku, 1)))).await;
    assert_eq!(results[1], Err(Error::Defect));
    assert!([0, 2, 3].iter().all(|index| results[*index].is_ok()), "{results:?}");
    assert_eq!(stock_in_log(&store, &good).await.on_hand(), 2);
}

#[tokio::test]
async fn after_it_lost_touch_a_node_trusts_nothing_that_it_remembers() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (one, other) = (engine(&store), engine(&database.another_node(&store).await));
    let (sku, bad) = (sku(), sku());
    product(&one, &sku, 0).await;
    product(&one, &bad, 0).await;
    poison(&database, &bad).await;
    assert_eq!(code(ask(&one, adjust(&sku, -1)).await), "invalid-quantity");
    assert_eq!(ask(&one, receive(&bad, 1)).await, Err(Error::Defect));
    ask(&other, receive(&sku, 1)).await.unwrap();
    // The node reads the head anew, so that the log has not grown since; yet its state is of before.
    ask(&one, adjust(&sku, -1)).await.unwrap();
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 0);
}

#[tokio::test]
async fn a_node_forgets_what_the_log_has_lost() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (engine, sku, bad) = (engine(&store), sku(), sku());
    product(&engine, &sku, 5).await;
    product(&engine, &bad, 0).await;
    let kept = store.head().await.unwrap().position;
    ask(&engine, receive(&sku, 2)).await.unwrap();
    poison(&database, &bad).await;
    assert_eq!(ask(&engine, receive(&bad, 1)).await, Err(Error::Defect));
    // A failover with loss, between two looks at the head.
    let lost = format!(
        "ALTER TABLE log.events DISABLE TRIGGER append_only;
         DELETE FROM log.events WHERE position > {kept};
         UPDATE log.head SET position = {kept};
         ALTER TABLE log.events ENABLE TRIGGER append_only"
    );
    sqlx::raw_sql(AssertSqlSafe(lost)).execute(&database.pool).await.unwrap();
    store.bump_epoch().await.unwrap();
    assert_eq!(code(ask(&engine, adjust(&sku, -7)).await), "invalid-quantity");
    ask(&engine, adjust(&sku, -5)).await.unwrap();
    assert_eq!(stock_in_log(&store, &sku).await.on_hand(), 0);
    assert_gapless(&store).await;
}
