use super::tally::{Tally, history, seen};
use crate::Error;

#[tokio::test]
async fn it_stops_before_an_event_that_cannot_be_taken_and_names_it() {
    let history = history(5).await;
    let tally = Tally::named("first");
    *tally.refuses.lock().unwrap() = Some(4);
    let mut projector = history.projector(tally.models());
    let error = loop {
        if let Err(error) = projector.step().await {
            break error;
        }
    };
    assert!(
        matches!(&error, Error::Poison { model: "first", position, stream, .. }
            if position.0 == 4 && stream.starts_with("stock-")),
        "{error}"
    );
    assert_eq!((history.position("first").await, seen(&history, "first").await), (Some(3), vec![1, 2, 3]));
}

#[tokio::test]
async fn it_goes_on_by_itself_once_the_event_can_be_taken() {
    let history = history(5).await;
    let tally = Tally::named("first");
    *tally.refuses.lock().unwrap() = Some(4);
    let running = history.run(tally.models());
    let three = event_store::Position(3);
    assert!(crate::reached(&history.read, "first", three, crate::history::deadline()).await.unwrap());
    *tally.refuses.lock().unwrap() = None;
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_not_skipped_either() {
    let history = history(5).await;
    history
        .damage("ALTER TABLE log.events DISABLE TRIGGER append_only; UPDATE log.events SET data = '{}' WHERE position = 4")
        .await;
    let mut projector = history.projector(Tally::named("first").models());
    let error = loop {
        if let Err(error) = projector.step().await {
            break error;
        }
    };
    assert!(error.to_string().starts_with("position 4 of stock-"), "{error}");
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
}
