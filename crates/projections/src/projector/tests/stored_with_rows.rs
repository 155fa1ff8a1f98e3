use tokio::sync::Semaphore;

use super::tally::{Tally, history, inside, seen};
use crate::ReadModel;

#[tokio::test]
async fn progress_and_rows_come_in_one_transaction() {
    let history = history(3).await;
    let tally = Tally { gate: Semaphore::new(0).into(), ..Tally::named("first") };
    let running = history.run(tally.models());
    // The rows are written and the transaction is open.
    while inside(&history).await == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((history.position("first").await, seen(&history, "first").await.len()), (Some(0), 0));
    tally.gate.add_permits(1);
    history.reaches("first").await;
    assert_eq!((history.position("first").await, seen(&history, "first").await), (Some(3), vec![1, 2, 3]));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_batch_that_is_dropped_in_the_middle_changes_nothing() {
    let history = history(3).await;
    let tally = Tally { gate: Semaphore::new(0).into(), ..Tally::named("first") };
    let running = history.run(tally.models());
    while inside(&history).await == 0 {
        tokio::task::yield_now().await;
    }
    running.task.abort();
    assert!(running.task.await.unwrap_err().is_cancelled());
    assert_eq!((history.position("first").await, seen(&history, "first").await.len()), (Some(0), 0));

    let again = history.run(Tally::named("first").models());
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
    again.stop().await.unwrap();
}

#[tokio::test]
async fn one_model_that_cannot_write_takes_the_rows_of_the_others_with_it() {
    let history = history(3).await;
    history.damage("DROP TABLE read.tally_second").await;
    let models: Vec<Box<dyn ReadModel>> =
        vec![Box::new(Tally::named("first")), Box::new(Tally::named("second"))];
    history.projector(models).step().await.unwrap_err();
    assert!(seen(&history, "first").await.is_empty());
    assert_eq!((history.position("first").await, history.position("second").await), (Some(0), Some(0)));
}
