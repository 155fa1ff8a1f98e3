use super::shop::{
    OPTIONS, all_is_well, equal, model, number, rebuild, rebuild_with, reserved, shop, stock_up,
};
use crate::history::deadline;
use crate::rebuild::{Error, Options, drop_old, rollback};

#[tokio::test]
async fn the_old_rows_come_back_with_what_has_happened_since() {
    let mut history = shop(10).await;
    equal(&rebuild(&history, "stock").await.unwrap());
    // It is the old rows that come back, and they bear a mark.
    history.damage("UPDATE read_old_stock.stock SET reorder_point = 77 WHERE sku = 'ITEM-1'").await;
    history.append([reserved(1, 2)]).await;
    history.fold().await;

    let position = rollback(&history.read, &history.store, model("stock")).await.unwrap();
    assert_eq!(Some(position.0), history.position("stock").await);
    let reserved_now = "SELECT reserved FROM stock WHERE sku = 'ITEM-1' AND reorder_point = 77";
    assert_eq!(number(&history, reserved_now).await, 5, "nobody sees older rows than before");

    // And once more: what was rebuilt is running again.
    rollback(&history.read, &history.store, model("stock")).await.unwrap();
    assert_eq!(number(&history, "SELECT count(*) FROM stock WHERE reorder_point = 77").await, 0);
    all_is_well(&history).await;
}

#[tokio::test]
async fn old_rows_that_cannot_go_on_come_back_as_they_are() {
    let mut history = shop(10).await;
    let before = history.position("stock").await.unwrap();
    equal(&rebuild(&history, "stock").await.unwrap());
    history.append([reserved(1, 2)]).await;
    stock_up(&mut history, 0).await;
    history.fold().await;
    // More than a second's work, and more than is folded in the swap.
    let mut busy = history.database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE read_old_stock.stock IN EXCLUSIVE MODE").execute(&mut *busy).await.unwrap();
    for _ in 0..3 {
        history.append((0..500).map(|number| reserved(number % 2 + 2, 0))).await;
    }
    let (read, store) = (history.read.clone(), history.store.clone());
    let rolling = tokio::spawn(async move { rollback(&read, &store, model("stock")).await });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%' \
         AND datname = current_database()";
    let deadline = deadline();
    while number(&history, waiting).await == 0 {
        assert!(tokio::time::Instant::now() < deadline, "nobody waits");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    busy.commit().await.unwrap();
    let position = rolling.await.unwrap().unwrap();
    assert_eq!(position.0, before);
    assert_eq!(history.position("stock").await, Some(before));
    history.fold().await;
    all_is_well(&history).await;
}

#[tokio::test]
async fn there_is_nothing_to_roll_back_to_without_an_old_copy() {
    let history = shop(3).await;
    let nothing = rollback(&history.read, &history.store, model("stock")).await;
    assert!(matches!(nothing, Err(Error::NoOldCopy { model: "stock" })), "{nothing:?}");
    equal(&rebuild(&history, "stock").await.unwrap());
    assert!(drop_old(&history.read, "stock").await.unwrap());
    assert!(!drop_old(&history.read, "stock").await.unwrap());
    let nothing = rollback(&history.read, &history.store, model("stock")).await;
    assert!(matches!(nothing, Err(Error::NoOldCopy { .. })), "{nothing:?}");
}

#[tokio::test]
async fn what_was_parked_is_taken_by_a_rebuild_and_waits_again_after_a_rollback() {
    let mut history = shop(10).await;
    // An item was parked at its reservation, which the running rows therefore lack.
    history
        .damage(
            "INSERT INTO read.parked (model, stream, lane, position, version, event_id, type, error) \
             SELECT 'stock', stream, 'log', position, version, event_id, type, 'a defect' FROM log.events \
             WHERE stream = 'stock-ITEM-1' AND version = 3;
             UPDATE read.stock SET reserved = 0, version = 2 WHERE sku = 'ITEM-1'",
        )
        .await;
    let options = Options { accept_differences: true, ..OPTIONS };
    let outcome = rebuild_with(&history, "stock", options).await.unwrap();
    assert!(outcome.swapped.is_some(), "{outcome:?}");
    let parked = "SELECT count(*) FROM parked WHERE model = 'stock' AND stream = 'stock-ITEM-1'";
    let reserved_now = "SELECT reserved FROM stock WHERE sku = 'ITEM-1'";
    assert_eq!((number(&history, parked).await, number(&history, reserved_now).await), (0, 3));

    history.append([reserved(1, 2)]).await;
    rollback(&history.read, &history.store, model("stock")).await.unwrap();
    history.fold().await;
    assert_eq!((number(&history, parked).await, number(&history, reserved_now).await), (1, 0));
    rollback(&history.read, &history.store, model("stock")).await.unwrap();
    assert_eq!((number(&history, parked).await, number(&history, reserved_now).await), (0, 5));
}
