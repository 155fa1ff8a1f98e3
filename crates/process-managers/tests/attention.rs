//! Steps that cannot be done.

use domain::order::Status;
use uuid::Uuid;

use crate::given::House;

/// It is kept with the reason, is not tried for ever, and holds nobody up.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_kept_for_somebody_to_look_at() {
    let house = House::build().await;
    let nobody = Uuid::now_v7();
    house.write_down("of-nobody", serde_json::json!({"step": "void", "payment_id": nobody}), 0).await;
    house.write_down("from-the-future", serde_json::json!({"step": "dance"}), 0).await;
    let running = house.run();
    let ordered = house.order("approve").await;
    house.until_order(&ordered, Status::Confirmed).await;
    house.quiet().await;
    let kept: Vec<(String, i32, String)> = sqlx::query_as(
        "SELECT key, attempts, last_error FROM process.steps WHERE attention_at IS NOT NULL ORDER BY key",
    )
    .fetch_all(&house.database.pool)
    .await
    .unwrap();
    let [(future, once, unreadable), (of_nobody, also_once, unknown)] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((future.as_str(), of_nobody.as_str()), ("from-the-future", "of-nobody"));
    assert_eq!((*once, *also_once), (1, 1));
    assert!(unreadable.contains("dance"), "{unreadable}");
    assert!(unknown.contains("does not know the payment"), "{unknown}");
    running.stop().await;
}
