use std::sync::Arc;

use super::shop::{OPTIONS, number};
use crate::projector::tests::tally::{Tally, history, seen};
use crate::rebuild::{self, Compared, Error, Meter};

#[tokio::test]
async fn rows_of_an_older_shape_are_served_until_the_swap_and_not_compared() {
    let history = history(5).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();
    history.damage("INSERT INTO read.tally_first VALUES (77)").await;

    let newer = Arc::new(Tally { version: 2, ..Tally::named("first") });
    let meter = Arc::new(Meter::default());
    let outcome = rebuild::run(&history.read, &history.store, newer, OPTIONS, meter).await.unwrap();
    assert_eq!(outcome.compared, Compared::OtherVersion(1));
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5]);
    assert_eq!(number(&history, "SELECT version::bigint FROM progress").await, 2);
    assert_eq!(number(&history, "SELECT count(*) FROM read_old_first.tally_first").await, 6);

    // Only the program that wrote them rolls back to the old rows.
    let newer = Arc::new(Tally { version: 2, ..Tally::named("first") });
    let refused = rebuild::rollback(&history.read, &history.store, newer).await.unwrap_err();
    assert!(matches!(refused, Error::OtherVersion { found: 1, known: 2, .. }), "{refused}");
    let older = Arc::new(Tally::named("first"));
    rebuild::rollback(&history.read, &history.store, older).await.unwrap();
    assert_eq!(seen(&history, "first").await, [1, 2, 3, 4, 5, 77]);
    assert_eq!(number(&history, "SELECT version::bigint FROM progress").await, 1);
}
