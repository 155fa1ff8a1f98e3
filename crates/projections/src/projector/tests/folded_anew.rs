use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::tally::{Tally, history, inside, seen, something};
use crate::Error;
use crate::history::deadline;
use crate::projector::Follow;

#[tokio::test]
async fn rows_of_an_older_shape_are_served_until_new_ones_are_swapped_in() {
    let mut history = history(3).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();
    // So the old rows can be told from new ones.
    history.damage("INSERT INTO read.tally_first VALUES (77)").await;

    // The new rows are written, and wait at the gate.
    let newer = Tally { version: 2, gate: Arc::new(Semaphore::new(0)), ..Tally::named("first") };
    let gate = Arc::clone(&newer.gate);
    let running = history.follow(move || newer.models(), Follow::Log);
    until(async || inside(&history).await > 0).await;
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 77]);

    gate.close();
    until(async || crate::progress(&history.read).await.unwrap()[0].version == 2).await;
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
    // From there the projector goes on.
    history.append([something()]).await;
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4]);
    running.stop().await.unwrap();
}

/// Waits until it is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let deadline = deadline();
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never is");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn rows_of_a_newer_program_stop_it() {
    let history = history(3).await;
    let running = history.run(Tally { version: 2, ..Tally::named("first") }.models());
    history.reaches("first").await;
    running.stop().await.unwrap();

    let error = history.run(Tally::named("first").models()).task.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Newer { found: 2, known: 1, .. }), "{error}");
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
}
