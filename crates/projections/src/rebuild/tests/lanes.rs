use event_store::{Filter, Lane, Position, Recorded, Topic, partition_of};

use super::shop::{all_is_well, equal, item, model, number, rebuild, reserved, shop};
use crate::extent::{Extent, Part};
use crate::history::History;
use crate::rebuild::rollback;

const PARTITIONS: u32 = 3;

/// The stock model as it is when its lanes are at these places: each a little behind the one before.
async fn follow_partitions(history: &History) -> Extent {
    let head = history.store.head().await.unwrap().position.0;
    let lane = |partition| Part::Lane(Lane::Partition { topic: Topic::Stock, partition, of: PARTITIONS });
    let extent: Extent = (0..PARTITIONS)
        .map(|partition| (lane(partition), Position(head - u64::from(partition) * head / 4)))
        .collect();
    history.damage("DELETE FROM read.stock; DELETE FROM read.replenishment_alerts; DELETE FROM read.progress WHERE model = 'stock'").await;
    let mut transaction = history.read.begin().await.unwrap();
    let events = history.store.read(Position(0), 100_000, &Filter::default()).await.unwrap();
    let taken =
        events.into_iter().filter(|event| event.position <= place(&extent, event)).collect::<Vec<_>>();
    model("stock").apply(&mut transaction, &taken).await.unwrap();
    for (part, position) in extent.iter() {
        sqlx::query(
            "INSERT INTO read.progress (model, lane, epoch, position, next_offset, version) \
             SELECT 'stock', $1, epoch, $2, 5, $3 FROM log.head",
        )
        .bind(part.to_string())
        .bind(i64::from(position))
        .bind(model("stock").version())
        .execute(&mut *transaction)
        .await
        .unwrap();
    }
    transaction.commit().await.unwrap();
    extent
}

/// How far the lane of an event is.
fn place(extent: &Extent, event: &Recorded) -> Position {
    extent.part_of(&event.stream).and_then(|part| extent.at(part)).unwrap_or_default()
}

async fn places(history: &History) -> Vec<(String, i64, Option<i64>)> {
    sqlx::query_as("SELECT lane, position, next_offset FROM progress WHERE model = 'stock' ORDER BY lane")
        .fetch_all(&history.read)
        .await
        .unwrap()
}

#[tokio::test]
async fn lanes_that_are_at_different_places_are_compared_each_at_its_own() {
    let history = shop(300).await;
    follow_partitions(&history).await;
    let before = places(&history).await;
    let outcome = rebuild(&history, "stock").await.unwrap();
    equal(&outcome);
    let head = history.store.head().await.unwrap().position;
    assert_eq!(outcome.swapped, Some(head));
    // All lanes have come to the end; where their feed goes on is as it was.
    let expected =
        before.into_iter().map(|(lane, _, offset)| (lane, i64::from(head), offset)).collect::<Vec<_>>();
    assert_eq!(places(&history).await, expected);
    all_is_well(&history).await;
}

#[tokio::test]
async fn a_row_that_is_too_new_for_its_lane_is_a_difference() {
    let mut history = shop(300).await;
    let extent = follow_partitions(&history).await;
    // An event that no lane has come to is in a row all the same.
    let foremost = (0..300).find(|number| partition_of(item(*number).1.as_str(), PARTITIONS) == 0).unwrap();
    history.append([reserved(foremost, 1)]).await;
    let head = history.store.head().await.unwrap().position;
    let events = history.store.read(Position(head.0 - 1), 1, &Filter::default()).await.unwrap();
    assert!(place(&extent, &events[0]) < events[0].position);
    let mut connection = history.read.acquire().await.unwrap();
    model("stock").apply(&mut connection, &events).await.unwrap();
    assert_eq!(number(&history, "SELECT count(*) FROM stock WHERE reserved = 4").await, 1);
    let outcome = rebuild(&history, "stock").await.unwrap();
    assert!(outcome.swapped.is_none(), "{outcome:?}");
}

#[tokio::test]
async fn the_old_copy_comes_back_with_its_lanes() {
    let mut history = shop(300).await;
    follow_partitions(&history).await;
    equal(&rebuild(&history, "stock").await.unwrap());
    history.append([reserved(1, 1)]).await;
    let position = rollback(&history.read, &history.store, model("stock")).await.unwrap();
    assert_eq!(position, history.store.head().await.unwrap().position);
    assert_eq!(places(&history).await.len(), PARTITIONS as usize);
    assert_eq!(number(&history, "SELECT reserved FROM stock WHERE sku = 'ITEM-1'").await, 4);
}
