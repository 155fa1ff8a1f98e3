use super::tally::{Tally, history, seen};
use crate::Error;

#[tokio::test]
async fn rows_of_an_older_shape_are_folded_anew() {
    let history = history(3).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();

    // What is there is thrown away first, or it would be there twice.
    let mut projector = history.projector(Tally { version: 2, ..Tally::named("first") }.models());
    projector.step().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
    let progress = crate::progress(&history.read).await.unwrap();
    assert_eq!((progress[0].version, progress[0].position.0), (2, 3));
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
