use super::tally::{Tally, history, seen, something};

#[tokio::test]
async fn it_stops_when_it_is_told_to_and_the_next_one_goes_on() {
    let mut history = history(3).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();

    history.append([something()]).await;
    assert_eq!(history.position("first").await, Some(3));
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn it_stops_in_a_pause_too() {
    let history = history(3).await;
    let tally = Tally::named("first");
    *tally.refuses.lock().unwrap() = Some(3);
    let running = history.run(tally.models());
    let two = event_store::Position(2);
    assert!(crate::reached(&history.read, "first", two, crate::history::deadline()).await.unwrap());
    running.stop().await.unwrap();
}
