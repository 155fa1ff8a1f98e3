use domain::StreamId;

use super::tally::{Refuses, Tally, history, received, seen};
use crate::history::History;
use crate::parked::retry_model;
use crate::{Error, Retried, parked};

async fn retry(history: &History, tally: &Tally, stream: Option<&str>) -> Vec<Retried> {
    let stream = stream.map(|stream| StreamId::parse(stream).unwrap());
    retry_model(&history.read, &history.store, tally, stream.as_ref()).await.unwrap()
}

/// Two events of A, of B and of A again, with the first of A parked.
async fn parked_history() -> (History, Tally) {
    let mut history = history(0).await;
    history.append(["A", "A", "B", "A"].map(received)).await;
    let tally = Tally::named("first");
    *tally.refuses.lock().unwrap() = Refuses::One(1);
    history.projector(tally.models()).step().await.unwrap();
    assert_eq!(seen(&history, "first").await, [3]);
    (history, tally)
}

#[tokio::test]
async fn a_stream_that_goes_through_is_parked_no_more_and_goes_on() {
    let (mut history, tally) = parked_history().await;
    *tally.refuses.lock().unwrap() = Refuses::Nothing;
    let retried = retry(&history, &tally, None).await;
    let taken = Retried { stream: "stock-A".to_owned(), taken: true, position: None, error: None };
    assert_eq!(retried, [taken]);
    assert_eq!(parked(&history.read).await.unwrap(), []);
    history.append([received("A")]).await;
    history.projector(tally.models()).step().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn one_that_does_not_says_where_it_stands_now() {
    let (history, tally) = parked_history().await;
    let before = parked(&history.read).await.unwrap().remove(0);
    retry(&history, &tally, None).await;
    let again = parked(&history.read).await.unwrap().remove(0);
    assert_eq!((again.position, again.tries, again.parked_at), (1, 1, before.parked_at));
    assert!(again.tried_at.is_some());

    *tally.refuses.lock().unwrap() = Refuses::One(4);
    let retried = retry(&history, &tally, Some("stock-A")).await;
    assert_eq!((retried[0].taken, retried[0].position), (false, Some(4)));
    let stands = parked(&history.read).await.unwrap().remove(0);
    assert_eq!((stands.position, stands.version, stands.tries), (4, 3, 2));
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
}

#[tokio::test]
async fn what_is_beyond_the_model_is_left_to_the_projector() {
    let (mut history, tally) = parked_history().await;
    history.append([received("A")]).await;
    *tally.refuses.lock().unwrap() = Refuses::Nothing;
    retry(&history, &tally, None).await;
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4], "the model is at position 4");
    history.projector(tally.models()).step().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn what_is_not_parked_is_not_retried() {
    let (history, tally) = parked_history().await;
    *tally.refuses.lock().unwrap() = Refuses::Nothing;
    assert_eq!(retry(&history, &tally, Some("stock-B")).await, []);
    assert_eq!(seen(&history, "first").await, [3]);
    let unknown = crate::retry(&history.read, &history.store, "letters", None).await.unwrap_err();
    assert!(matches!(unknown, Error::Unknown(name) if name == "letters"));
}

#[tokio::test]
async fn a_projector_that_runs_and_a_retry_take_every_event_once() {
    let (mut history, tally) = parked_history().await;
    *tally.refuses.lock().unwrap() = Refuses::Nothing;
    let running = history.run(tally.models());
    for round in 0..20 {
        history.append([received("A"), received("B")]).await;
        if round == 10 {
            retry(&history, &tally, None).await;
        }
    }
    history.reaches("first").await;
    running.stop().await.unwrap();
    assert_eq!(seen(&history, "first").await, (1..=44).collect::<Vec<i64>>());
}
