use domain::{Event, stock};
use event_store::testing::TestDatabase;
use event_store::{Filter, Position};

#[tokio::test]
async fn an_event_of_an_old_shape_is_read_as_one_of_today() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    sqlx::query(
        "INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id, metadata, data)
         VALUES (1, 1, 1, 'stock-A', 'StockReceived', gen_random_uuid(), now(), 0, gen_random_uuid(),
                 '{\"correlation_id\": \"00000000-0000-0000-0000-000000000000\", \"actor\": {\"kind\": \"system\", \"id\": \"test\"}}',
                 '{\"quantity\": 7}')",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let read = store.read(Position(0), 10, &Filter::default()).await.unwrap();
    let expected = stock::Received { quantity: 7, reason: "supplier delivery".to_owned() };
    assert_eq!(read[0].event, Event::Stock(expected.into()));
    assert_eq!(read[0].schema_version, 1, "what is stored stays as it is");
}
