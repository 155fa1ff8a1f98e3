use event_store::testing::TestDatabase;

use crate::given::{append, cart_opened, command};

#[tokio::test]
async fn what_happened_cannot_be_changed_or_removed() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (stream, event) = cart_opened();
    append(&store, vec![command(vec![(stream, 1, event)])]).await;
    for change in [
        "UPDATE log.events SET type = 'Other'",
        "DELETE FROM log.events",
        "TRUNCATE log.events",
        "UPDATE log.commands SET answer = '{}'",
        "DELETE FROM log.commands",
        "TRUNCATE log.commands",
        "DELETE FROM log.head",
        "TRUNCATE log.head",
    ] {
        let error = sqlx::query(change).execute(&database.pool).await.expect_err(change).to_string();
        assert!(error.contains("append-only"), "{change}: {error}");
    }
    assert_eq!(store.head().await.unwrap().position.0, 1);
}
