use super::tally::{Tally, history, something};

#[tokio::test]
async fn the_others_go_on_while_one_catches_up() {
    let mut history = history(1_200).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();

    history.append([something()]).await;
    let mut projector =
        history.projector(vec![Box::new(Tally::named("first")), Box::new(Tally::named("second"))]);
    projector.step().await.unwrap();
    assert_eq!((history.position("first").await, history.position("second").await), (Some(1_201), Some(500)));
    history.append([something()]).await;
    projector.step().await.unwrap();
    assert_eq!(
        (history.position("first").await, history.position("second").await),
        (Some(1_202), Some(1_000))
    );
    projector.step().await.unwrap();
    assert_eq!(
        (history.position("first").await, history.position("second").await),
        (Some(1_202), Some(1_202))
    );
}
