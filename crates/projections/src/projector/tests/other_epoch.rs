use super::tally::{Tally, history, seen, something};
use crate::Error;

#[tokio::test]
async fn rows_of_another_log_stop_it() {
    let history = history(3).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();

    let log = history.store.bump_epoch().await.unwrap().epoch;
    let error = history.run(Tally::named("first").models()).task.await.unwrap().unwrap_err();
    assert!(matches!(&error, Error::OtherEpoch { log: now, .. } if *now == log), "{error}");
}

#[tokio::test]
async fn a_log_that_becomes_another_one_stops_it() {
    let mut history = history(3).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    history.store.bump_epoch().await.unwrap();
    history.append([something()]).await;
    let stopped = tokio::time::timeout_at(crate::history::deadline(), running.task).await.unwrap();
    assert!(matches!(stopped.unwrap().unwrap_err(), Error::OtherEpoch { .. }));
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
}

#[tokio::test]
async fn it_notices_even_when_nothing_happens() {
    let history = history(3).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    history.store.bump_epoch().await.unwrap();
    let stopped = tokio::time::timeout_at(crate::history::deadline(), running.task).await.unwrap();
    assert!(matches!(stopped.unwrap().unwrap_err(), Error::OtherEpoch { .. }));
}
