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
    history.damage("DROP TABLE read.tally_first").await;
    let running = history.run(Tally::named("first").models());
    while history.position("first").await.is_none() {
        tokio::task::yield_now().await;
    }
    running.stop().await.unwrap();
    assert_eq!(history.position("first").await, Some(0), "a table that is missing is no event's fault");
    assert_eq!(crate::parked(&history.read).await.unwrap(), []);
}
