//! What every feed promises, held against each of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_store::Position;

use crate::given::{from_the_future, shop};
use crate::kept::Kept;
use crate::stage::{DEADLINE, Stage};

async fn each_lane_comes_in_order_and_whole(mut stage: Stage) {
    shop(&stage.store, 20, 15).await;
    stage.published().await;
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    stage.follow(&mut *feed, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
    // And what comes later.
    shop(&stage.store, 5, 5).await;
    stage.published().await;
    stage.follow(&mut *feed, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}

async fn it_goes_on_from_a_stored_place(mut stage: Stage) {
    shop(&stage.store, 10, 5).await;
    stage.published().await;
    let kept = Arc::new(Kept::default());
    let mut first = stage.feed(&kept).await;
    stage.follow(&mut *first, &kept).await;
    drop(first);
    let (before, head) = (kept.count(), stage.head().await);
    shop(&stage.store, 10, 2).await;
    stage.published().await;
    let mut second = stage.feed(&kept).await;
    let deliveries = tokio::time::timeout(DEADLINE, second.next()).await.unwrap().unwrap();
    assert!(deliveries.iter().all(|delivery| delivery.after >= head), "nothing is read again");
    kept.take(deliveries);
    stage.follow(&mut *second, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
    assert!(kept.count() > before);
}

async fn it_goes_on_from_a_place_that_was_made_elsewhere(mut stage: Stage) {
    shop(&stage.store, 10, 5).await;
    stage.published().await;
    let middle = Position(stage.head().await.0 / 2);
    let kept = Arc::new(Kept::at(middle, stage.lanes()));
    let mut feed = stage.feed(&kept).await;
    stage.follow(&mut *feed, &kept).await;
    kept.is_the_log(&stage.store, middle, stage.lanes()).await;
}

async fn what_was_not_taken_comes_again_after_a_restart(mut stage: Stage) {
    shop(&stage.store, 10, 5).await;
    stage.published().await;
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    for _ in 0..3 {
        let lost = tokio::time::timeout(DEADLINE, feed.next()).await.unwrap().unwrap();
        assert!(!lost.is_empty());
        feed.restart().await.unwrap();
    }
    stage.follow(&mut *feed, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}

async fn it_may_be_restarted_before_anything_has_come(mut stage: Stage) {
    shop(&stage.store, 10, 5).await;
    stage.published().await;
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    feed.restart().await.unwrap();
    stage.follow(&mut *feed, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}

async fn it_wakes_up_when_there_is_more(mut stage: Stage) {
    shop(&stage.store, 1, 0).await;
    stage.published().await;
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    stage.follow(&mut *feed, &kept).await;
    let mut waits = Vec::new();
    for _ in 0..10 {
        let idle = tokio::time::timeout(Duration::from_millis(100), feed.next()).await;
        assert!(idle.is_err(), "there is nothing: {idle:?}");
        shop(&stage.store, 1, 0).await;
        stage.published().await;
        let began = Instant::now();
        stage.follow(&mut *feed, &kept).await;
        waits.push(began.elapsed());
    }
    waits.sort();
    println!("woken within {:?} in the middle, {:?} at most", waits[waits.len() / 2], waits[waits.len() - 1]);
    assert!(waits[waits.len() / 2] < Duration::from_secs(1), "{waits:?}");
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}

async fn dropping_the_future_loses_nothing(mut stage: Stage) {
    shop(&stage.store, 20, 30).await;
    stage.published().await;
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    let (began, mut patience) = (Instant::now(), 0);
    while kept.position(stage.lanes()) < stage.head().await {
        assert!(began.elapsed() < DEADLINE);
        patience = (patience + 700) % 60_000;
        if let Ok(deliveries) = tokio::time::timeout(Duration::from_micros(patience), feed.next()).await {
            kept.take(deliveries.unwrap());
        }
    }
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}

async fn an_event_that_cannot_be_read_is_delivered_as_such(mut stage: Stage) {
    shop(&stage.store, 3, 3).await;
    let position = from_the_future(&stage.database.pool).await;
    shop(&stage.store, 3, 3).await;
    stage.published().await;
    let kept = Arc::new(Kept::default());
    let mut feed = stage.feed(&kept).await;
    let (head, mut unreadable) = (stage.head().await, Vec::new());
    while kept.position(stage.lanes()) < head {
        let deliveries = tokio::time::timeout(DEADLINE, feed.next()).await.unwrap().unwrap();
        let events = deliveries.iter().flat_map(|delivery| &delivery.events);
        unreadable.extend(events.filter_map(|event| event.clone().err()));
        kept.take(deliveries);
    }
    assert_eq!(unreadable.len(), 1);
    assert_eq!((unreadable[0].position, unreadable[0].type_name.as_str()), (position, "CartTeleported"));
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}

async fn an_outage_is_told_and_got_over(mut stage: Stage) {
    shop(&stage.store, 5, 5).await;
    stage.published().await;
    let kept = Arc::new(Kept::away(3));
    let mut feed = stage.feed(&kept).await;
    for _ in 0..3 {
        let error = tokio::time::timeout(DEADLINE, feed.next()).await.unwrap().unwrap_err();
        assert!(error.is_outage(), "{error}");
    }
    stage.follow(&mut *feed, &kept).await;
    kept.is_the_log(&stage.store, Position(0), stage.lanes()).await;
}

macro_rules! feeds {
    ($($promise:ident),+ $(,)?) => {
        mod log {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                super::$promise(super::Stage::log().await).await;
            })+
        }
        mod kafka {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                super::$promise(super::Stage::kafka().await).await;
            })+
        }
        mod relayed {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                super::$promise(super::Stage::relayed().await).await;
            })+
        }
    };
}

feeds!(
    each_lane_comes_in_order_and_whole,
    it_goes_on_from_a_stored_place,
    it_goes_on_from_a_place_that_was_made_elsewhere,
    what_was_not_taken_comes_again_after_a_restart,
    it_may_be_restarted_before_anything_has_come,
    it_wakes_up_when_there_is_more,
    dropping_the_future_loses_nothing,
    an_event_that_cannot_be_read_is_delivered_as_such,
    an_outage_is_told_and_got_over,
);
