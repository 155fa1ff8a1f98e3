use super::tally::{Refuses, Tally, history, received, seen, something};
use crate::history::{History, deadline};
use crate::orders::Orders;
use crate::orders::examples::{ORDER, confirmed, happened, placed};
use crate::{Error, Parked, ReadModel, parked};

async fn only(history: &History) -> Parked {
    let mut all = parked(&history.read).await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[tokio::test]
async fn an_event_that_cannot_be_taken_stops_its_stream_and_nothing_else() {
    let mut history = history(3).await;
    history.append([received("A"), received("B"), received("A"), received("B")]).await;
    let tally = Tally::named("first");
    *tally.refuses.lock().unwrap() = Refuses::One(4);
    let running = history.run(tally.models());
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 5, 7]);
    let parked = only(&history).await;
    assert_eq!((parked.stream.as_str(), parked.position, parked.version), ("stock-A", 4, 1));
    assert_eq!((parked.type_name.as_str(), parked.error.as_str()), ("StockReceived", "it tastes of almonds"));

    // What comes later is held back too, and the stream is parked once.
    history.append([received("A"), received("B"), something()]).await;
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 5, 7, 9, 10]);
    assert_eq!(only(&history).await, parked);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn other_models_take_what_one_cannot() {
    let mut history = history(3).await;
    history.append([received("A"), received("A")]).await;
    let (first, second) = (Tally::named("first"), Tally::named("second"));
    *second.refuses.lock().unwrap() = Refuses::One(4);
    let mut projector = history.projector(vec![Box::new(first), Box::new(second)]);
    projector.step().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5]);
    assert_eq!(seen(&history, "second").await, [1, 2, 3]);
    assert_eq!((history.position("first").await, history.position("second").await), (Some(5), Some(5)));
    assert_eq!(only(&history).await.model, "second");
}

#[tokio::test]
async fn a_panic_is_parked_like_any_other_failure() {
    let history = history(5).await;
    let tally = Tally::named("first");
    *tally.refuses.lock().unwrap() = Refuses::Panicking(4);
    history.projector(tally.models()).step().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 5]);
    assert_eq!(only(&history).await.position, 4);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_parked_and_not_skipped() {
    let mut history = history(3).await;
    history.append([received("A"), received("A"), received("A"), received("B")]).await;
    history
        .damage(
            "ALTER TABLE log.events DISABLE TRIGGER append_only; \
             UPDATE log.events SET data = '{}' WHERE position = 5",
        )
        .await;
    history.projector(Tally::named("first").models()).step().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 7]);
    let parked = only(&history).await;
    assert_eq!((parked.position, parked.version), (5, 2));
    assert!(!parked.error.is_empty());
}

#[tokio::test]
async fn an_event_that_a_model_does_not_fold_is_not_parked_for_it() {
    let mut history = history(0).await;
    history.append([happened(placed()), received("A")]).await;
    history
        .damage(
            "ALTER TABLE log.events DISABLE TRIGGER append_only; \
             UPDATE log.events SET data = '{}' WHERE position = 1",
        )
        .await;
    history.projector(vec![Box::new(crate::stock::Stock), Box::new(Orders)]).step().await.unwrap();
    assert_eq!(only(&history).await.model, "orders");
}

#[tokio::test]
async fn a_parked_beginning_is_not_hidden_by_what_follows() {
    let mut history = History::begin().await;
    history.append([happened(placed())]).await;
    // Read by this program as something that no order begins with.
    let good: String = sqlx::query_scalar("SELECT data::text FROM log.events")
        .fetch_one(&history.database.pool)
        .await
        .unwrap();
    history
        .damage("ALTER TABLE log.events DISABLE TRIGGER append_only; UPDATE log.events SET data = '{}'")
        .await;
    history.append([happened(confirmed())]).await;
    let mut projector = history.projector(vec![Box::new(Orders)]);
    projector.step().await.unwrap();
    assert_eq!(only(&history).await.version, 1);
    assert_eq!(crate::orders::query::find(&history.read, ORDER).await.unwrap(), None);

    history.damage(&format!("UPDATE log.events SET data = '{good}' WHERE position = 1")).await;
    let retried = crate::retry(&history.read, &history.store, "orders", None).await.unwrap();
    assert!(retried[0].taken, "{retried:?}");
    let order = crate::orders::query::find(&history.read, ORDER).await.unwrap().unwrap();
    assert_eq!(order.version, 2);
}

#[tokio::test]
async fn a_model_that_takes_nothing_is_broken_itself_and_loses_nothing() {
    let history = history(1_001).await;
    let tally = Tally::named("first");
    *tally.refuses.lock().unwrap() = Refuses::Everything;
    let running = history.run(tally.models());
    let stopped =
        tokio::time::timeout_at(deadline() + std::time::Duration::from_secs(60), running.task).await;
    let error = stopped.unwrap().unwrap().unwrap_err();
    assert!(matches!(&error, Error::Broken { model, .. } if model == "first"), "{error}");
    assert_eq!(history.position("first").await, Some(1_000));
    assert_eq!(parked(&history.read).await.unwrap().len(), 1_000);

    *tally.refuses.lock().unwrap() = Refuses::Nothing;
    let models = tally.models();
    history.projector(tally.models()).step().await.unwrap();
    crate::parked::retry_model(&history.read, &history.store, models[0].as_ref() as &dyn ReadModel, None)
        .await
        .unwrap();
    assert_eq!(seen(&history, "first").await, (1..=1_001).collect::<Vec<i64>>());
}
