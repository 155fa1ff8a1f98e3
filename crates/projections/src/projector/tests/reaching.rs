use event_store::Position;
use futures::future::try_join_all;
use tokio::time::{Duration, Instant};

use super::tally::{Tally, history, something};
use crate::history::deadline;
use crate::reached;

#[tokio::test]
async fn what_is_reached_is_seen_at_the_first_look_however_late() {
    let history = history(3).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();
    assert!(reached(&history.read, "first", Position(3), Instant::now()).await.unwrap());
}

#[tokio::test]
async fn what_is_not_reached_by_the_deadline_is_not() {
    let history = history(3).await;
    let begun = Instant::now();
    let by = begun + Duration::from_millis(60);
    assert!(!reached(&history.read, "first", Position(1), by).await.unwrap());
    assert!(begun.elapsed() >= Duration::from_millis(60), "it was given up after {:?}", begun.elapsed());
    assert!(!reached(&history.read, "nothing", Position(0), Instant::now()).await.unwrap());
}

#[tokio::test]
async fn thousands_wait_on_one_connection() {
    let mut history = history(1).await;
    let one = crate::connect(history.database.url.parse().unwrap(), 1).await.unwrap();
    let waiting = try_join_all((1..=3_000_u64).map(|number| {
        let one = one.clone();
        let position = Position(1 + number % 10);
        async move { reached(&one, "first", position, deadline()).await }
    }));
    let waiting = tokio::spawn(waiting);
    let running = history.run(Tally::named("first").models());
    for _ in 0..9 {
        history.append([something()]).await;
    }
    assert!(waiting.await.unwrap().unwrap().into_iter().all(|reached| reached));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_another_process_folds_is_noticed() {
    let history = history(1).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();
    let read = history.read.clone();
    let waiting = tokio::spawn(async move { reached(&read, "first", Position(2), deadline()).await });
    // Written by nobody of this process.
    history.damage("UPDATE read.progress SET position = 2").await;
    assert!(waiting.await.unwrap().unwrap());
}

#[tokio::test]
async fn what_is_taken_back_is_not_reached_any_more() {
    let history = history(3).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();
    history.damage("UPDATE read.progress SET position = 0").await;
    assert!(!reached(&history.read, "first", Position(3), Instant::now()).await.unwrap());
}
