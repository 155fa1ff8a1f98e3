use std::time::Duration;

use event_store::testing::Between;

use super::tally::{Tally, history, seen, something};
use crate::history::Running;
use crate::projector::Projector;

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_when_its_connections_lead_nowhere() {
    let mut history = history(3).await;
    let options = history.read.connect_options();
    let between = Between::open(&options).await;
    let read = crate::connect(between.leading_to(&options), 4).await.unwrap();
    let mut projector = Projector::new(read, history.store.clone(), Tally::named("first").models());
    projector.attempt_max = Duration::from_secs(1);
    let running = Running::start(projector);
    for _ in 0..2 {
        history.reaches("first").await;
        between.forget().await;
        history.append([something()]).await;
    }
    history.reaches("first").await;
    running.stop().await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5]);
}
