use tokio::sync::Semaphore;

use super::tally::{Tally, history, inside, seen, something, waiting};

#[tokio::test]
async fn the_second_waits_while_the_first_applies() {
    let history = history(3).await;
    let tally = Tally { gate: Semaphore::new(0).into(), ..Tally::named("first") };
    let (one, two) = (history.run(tally.models()), history.run(tally.models()));
    while inside(&history).await + waiting(&history).await < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!((inside(&history).await, waiting(&history).await), (1, 1));
    tally.gate.close();
    history.reaches("first").await;
    one.stop().await.unwrap();
    two.stop().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
}

#[tokio::test]
async fn two_projectors_at_once_apply_every_event_once() {
    let mut history = history(700).await;
    let other = crate::connect(history.database.url.parse().unwrap(), 4).await.unwrap();
    let tally = Tally::named("first");
    let one = history.run(tally.models());
    let shutdown = tokio_util::sync::CancellationToken::new();
    let another_node = history.database.another_node(&history.store).await;
    let two = crate::projector::Projector::new(other, another_node, tally.models());
    let until = shutdown.clone();
    let two = tokio::spawn(async move { two.run(&until).await });
    for _ in 0..50 {
        history.append([something(), something()]).await;
    }
    history.reaches("first").await;
    one.stop().await.unwrap();
    shutdown.cancel();
    two.await.unwrap().unwrap();
    assert_eq!(seen(&history, "first").await, (1..=800).collect::<Vec<i64>>());
}

#[tokio::test]
async fn the_second_takes_over_when_the_first_is_gone() {
    let mut history = history(5).await;
    let one = history.run(Tally::named("first").models());
    let two = history.run(Tally::named("first").models());
    history.reaches("first").await;
    one.task.abort();
    assert!(one.task.await.unwrap_err().is_cancelled());
    history.append([something()]).await;
    history.reaches("first").await;
    two.stop().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5, 6]);
}
