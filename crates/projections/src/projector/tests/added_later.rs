use super::tally::{Tally, history, seen, something};

#[tokio::test]
async fn a_model_that_is_added_later_catches_up_and_the_others_are_not_folded_again() {
    let mut history = history(1_200).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();
    assert_eq!(history.position("second").await, None);

    history.append([something()]).await;
    let running = history.run(vec![Box::new(Tally::named("first")), Box::new(Tally::named("second"))]);
    history.reaches("first").await;
    history.reaches("second").await;
    let all: Vec<i64> = (1..=1_201).collect();
    assert_eq!((seen(&history, "first").await, seen(&history, "second").await), (all.clone(), all));

    history.append([something()]).await;
    history.reaches("second").await;
    assert_eq!(
        (history.position("first").await, history.position("second").await),
        (Some(1_202), Some(1_202))
    );
    running.stop().await.unwrap();
}
