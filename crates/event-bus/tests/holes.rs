//! What is lost, doubled or in another order on Kafka.

use std::sync::Arc;

use event_store::{Lane, Position};
use rdkafka::message::OwnedHeaders;

use crate::given::shop;
use crate::kept::Kept;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_comes_from_the_log() {
    let mut stage = Stage::kafka().await;
    shop(&stage.store, 20, 60).await;
    let publisher = stage.publisher.as_mut().unwrap();
    let all = publisher.envelopes(&stage.store).await;
    // One here and there, and a thousand in a row.
    let lost = |position: u64| position.is_multiple_of(7) || (400..1_400).contains(&position);
    publisher.send_all(all.iter().filter(|envelope| !lost(envelope.raw.position.0))).await;
    publisher.watermarks(all[0].epoch).await;
    follow_all(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_at_once_are_read_as_one() {
    let mut stage = Stage::kafka().await;
    shop(&stage.store, 20, 20).await;
    let publisher = stage.publisher.as_mut().unwrap();
    let all = publisher.envelopes(&stage.store).await;
    let (first, second) = all.split_at(all.len() / 2);
    publisher.send_all(first).await;
    // A frozen leader wakes up and repeats some, the other one goes on; then all of it once more.
    let overlap = first.iter().rev().take(100).rev().zip(second.iter().take(100));
    publisher.send_all(overlap.flat_map(|(old, new)| [old, new])).await;
    publisher.send_all(second.iter().skip(100)).await;
    publisher.send_all(&all).await;
    publisher.watermarks(all[0].epoch).await;
    follow_all(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_lost_its_beginning_is_whole_all_the_same() {
    let mut stage = Stage::kafka().await;
    shop(&stage.store, 5, 10).await;
    let publisher = stage.publisher.as_mut().unwrap();
    // As after a retention that was set too short: nothing is there but the last watermark.
    let all = publisher.envelopes(&stage.store).await;
    publisher.watermarks(all[0].epoch).await;
    follow_all(&stage).await;
}

/// A record without headers cannot be taken for anything, and says where it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_record_stops_and_is_named() {
    let mut stage = Stage::kafka().await;
    shop(&stage.store, 2, 2).await;
    let lane = Lane::all(3).next().unwrap();
    let publisher = stage.publisher.as_mut().unwrap();
    publisher.produce(lane, None, "hello", OwnedHeaders::new()).await;
    let topic = publisher.kafka.name(event_store::Topic::Customers);
    stage.published().await;
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    let mut stops = 0;
    while stops < 3 {
        match feed.next().await {
            Ok(deliveries) => {
                assert!(deliveries.iter().all(|delivery| delivery.lane != lane), "{deliveries:?}");
                kept.take(deliveries);
            }
            Err(error) => {
                assert!(
                    error.to_string().starts_with(&format!("record 0 of partition 0 of {topic}: ")),
                    "{error}"
                );
                assert!(!error.is_outage());
                stops += 1;
                if stops == 2 {
                    feed.restart().await.unwrap();
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_another_log_stops() {
    let mut stage = Stage::kafka().await;
    shop(&stage.store, 2, 2).await;
    stage.published().await;
    let (before, after) = (stage.store.head().await.unwrap(), stage.store.bump_epoch().await.unwrap());
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    let error = feed.next().await.unwrap_err().to_string();
    assert!(error.contains(&before.epoch.to_string()) && error.contains(&after.epoch.to_string()), "{error}");
    assert_eq!(kept.count(), 0);
}

async fn follow_all(stage: &Stage) {
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    stage.follow(&mut *feed, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}
