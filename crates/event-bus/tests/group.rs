//! Consumers join and leave while events flow.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_bus::KafkaFeed;
use event_store::{Feed, Lane, Position};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::given::shop;
use crate::kept::Kept;
use crate::stage::{DEADLINE, Stage};

/// One more follower of the group, until it is told to leave.
async fn join(stage: &Stage, kept: &Arc<Kept>, owner: usize) -> (CancellationToken, JoinHandle<()>) {
    let mut feed = stage.feed(kept).await;
    let (leave, kept) = (CancellationToken::new(), kept.clone());
    let left = leave.clone();
    let follower = tokio::spawn(async move {
        while let Some(deliveries) = left.run_until_cancelled(feed.next()).await {
            kept.take_of(owner, deliveries.unwrap());
        }
    });
    (leave, follower)
}

/// Appends and publishes until `done`.
async fn flow(stage: &mut Stage, what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < DEADLINE, "not in time: {what}");
        shop(&stage.store, 5, 1).await;
        stage.published().await;
    }
}

fn owners_now(kept: &Kept) -> HashSet<usize> {
    kept.moves().values().filter_map(|owners| owners.last().copied()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_then_three_then_one() {
    let mut stage = Stage::kafka().await;
    let kept = Arc::new(Kept::default());
    let first = join(&stage, &kept, 1).await;
    let second = join(&stage, &kept, 2).await;
    flow(&mut stage, "two share the lanes", || owners_now(&kept) == HashSet::from([1, 2])).await;
    let third = join(&stage, &kept, 3).await;
    flow(&mut stage, "three share the lanes", || owners_now(&kept) == HashSet::from([1, 2, 3])).await;
    for (leave, follower) in [first, second] {
        leave.cancel();
        follower.await.unwrap();
    }
    flow(&mut stage, "one has them all", || owners_now(&kept) == HashSet::from([3])).await;
    let head = stage.head().await;
    flow(&mut stage, "all is taken", || kept.position(stage_lanes()) >= head).await;
    third.0.cancel();
    third.1.await.unwrap();
    let mut last = stage.feed(&kept).await;
    stage.follow(&mut *last, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
    for (lane, owners) in kept.moves() {
        // Each lane is one follower's at a time: it moves when the group changes, and never to and fro.
        assert!(owners.len() <= 6, "{lane} went from hand to hand: {owners:?}");
    }
}

fn stage_lanes() -> impl Iterator<Item = Lane> {
    Lane::all(crate::published::PARTITIONS)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_a_lane_is_not_held_up_by_who_comes() {
    let mut stage = Stage::kafka().await;
    let kept = Arc::new(Kept::default());
    let first = join(&stage, &kept, 1).await;
    flow(&mut stage, "one has them all", || owners_now(&kept) == HashSet::from([1])).await;
    // A second one joins and is never asked for anything: it is given lanes that it does not take.
    let silent = stage.kafka_feed(&kept).await;
    let before = kept.count();
    flow(&mut stage, "the first reads on", || kept.count() > before + 200).await;
    drop(silent);
    let head = stage.head().await;
    flow(&mut stage, "the first has them all again", || kept.position(stage_lanes()) >= head).await;
    first.0.cancel();
    first.1.await.unwrap();
}

/// Takes what comes in the next moment.
async fn step(feed: &mut KafkaFeed, kept: &Kept, owner: usize) {
    if let Ok(deliveries) = tokio::time::timeout(Duration::from_millis(50), feed.next()).await {
        let deliveries = deliveries.unwrap();
        let has: HashSet<_> = feed.lanes().collect();
        assert!(
            deliveries.iter().all(|delivery| has.contains(&delivery.lane)),
            "not its own: {deliveries:?}"
        );
        kept.take_of(owner, deliveries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_taken_away_is_gone() {
    let mut stage = Stage::kafka().await;
    let kept = Arc::new(Kept::default());
    let all: HashSet<_> = stage_lanes().collect();
    let mut first = stage.kafka_feed(&kept).await;
    let began = Instant::now();
    while first.lanes().collect::<HashSet<_>>() != all {
        assert!(began.elapsed() < DEADLINE);
        step(&mut first, &kept, 1).await;
    }
    let mut second = stage.kafka_feed(&kept).await;
    let shared = |first: &KafkaFeed, second: &KafkaFeed| {
        let (first, second): (HashSet<_>, HashSet<_>) = (first.lanes().collect(), second.lanes().collect());
        !second.is_empty() && first.is_disjoint(&second) && &first | &second == all
    };
    while !shared(&first, &second) {
        assert!(began.elapsed() < DEADLINE);
        shop(&stage.store, 2, 1).await;
        stage.published().await;
        step(&mut first, &kept, 1).await;
        step(&mut second, &kept, 2).await;
    }
    // Each goes back in its own lanes only.
    first.restart().await.unwrap();
    second.restart().await.unwrap();
    let head = stage.head().await;
    while kept.position(stage_lanes()) < head {
        assert!(began.elapsed() < DEADLINE);
        step(&mut first, &kept, 1).await;
        step(&mut second, &kept, 2).await;
    }
    assert!(shared(&first, &second));
    kept.is_the_log(&stage.store, Position(0), stage_lanes()).await;
}
