use std::sync::Arc;
use std::time::Duration;

use event_store::{Recorded, Topic};
use futures::future::BoxFuture;
use sqlx::PgConnection;

use super::shop::{OPTIONS, rows};
use crate::ReadModel;
use crate::projector::tests::tally::{Refuses, Tally, history, something};
use crate::rebuild::{self, Compared, Meter, Options};

/// Enough for several batches of every worker.
const EVENTS: i64 = 14_000;

/// Writes down the position of every event as often as it sees it, all of a batch at once.
struct Positions;

impl ReadModel for Positions {
    fn name(&self) -> &'static str {
        "first"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["tally_first"]
    }

    fn topics(&self) -> &'static [Topic] {
        &Topic::ALL
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), crate::Error>> {
        Box::pin(async move {
            let positions: Vec<i64> = events.iter().map(|event| event.position.into()).collect();
            sqlx::query("INSERT INTO tally_first SELECT unnest($1::bigint[])")
                .bind(positions)
                .execute(connection)
                .await?;
            Ok(())
        })
    }
}

/// Where an attempt is broken off.
async fn moment(attempt: u64, meter: &Meter) {
    if attempt.is_multiple_of(2) {
        return tokio::time::sleep(Duration::from_millis(attempt * 7 % 60)).await;
    }
    // Once a batch is done others are under way.
    while meter.events() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_breaks_off_anywhere_goes_on_where_it_was() {
    let mut history = history(1_000).await;
    for _ in 1..EVENTS / 1_000 {
        history.append((0..1_000).map(|_| something())).await;
    }
    history
        .damage(
            "INSERT INTO read.tally_first SELECT position FROM log.events;
             INSERT INTO read.progress (model, version, epoch, position) SELECT 'first', 1, epoch, position FROM log.head",
        )
        .await;
    let before = rows(&history, "tally_first").await;
    assert_eq!(before.len() as i64, EVENTS);

    let (mut halfway, mut attempt) = (0, 0);
    let outcome = loop {
        let meter = Arc::new(Meter::default());
        let rebuild =
            rebuild::run(&history.read, &history.store, Arc::new(Positions), OPTIONS, Arc::clone(&meter));
        tokio::select! {
            outcome = rebuild => break outcome.unwrap(),
            () = moment(attempt, &meter) => {}
        }
        halfway += u32::from(meter.events() > 0);
        attempt += 1;
    };
    assert!(halfway > 1, "of {attempt} times it broke off {halfway} times halfway");
    // Nothing was folded twice or left out.
    assert_eq!(rows(&history, "tally_first").await, before);
    assert!(outcome.swapped.is_some(), "{outcome:?}");
    assert!(matches!(outcome.compared, Compared::Equal(_) | Compared::Before), "{outcome:?}");
}

#[tokio::test]
async fn one_that_is_begun_anew_keeps_nothing() {
    let history = history(20).await;
    let running = history.run(Tally::named("first").models());
    history.reaches("first").await;
    running.stop().await.unwrap();
    let (model, meter) = (Tally::named("first"), Arc::new(Meter::default()));
    *model.refuses.lock().unwrap() = Refuses::One(15);
    let failing = rebuild::run(&history.read, &history.store, Arc::new(model.clone()), OPTIONS, meter).await;
    let error = failing.unwrap_err();
    assert!(matches!(&error, rebuild::Error::Poison { position, .. } if position.0 == 15), "{error}");

    *model.refuses.lock().unwrap() = Refuses::Nothing;
    history.damage("INSERT INTO read_next_first.tally_first VALUES (999)").await;
    let (options, meter) = (Options { restart: true, ..OPTIONS }, Arc::new(Meter::default()));
    let outcome = rebuild::run(&history.read, &history.store, Arc::new(model), options, meter).await.unwrap();
    super::shop::equal(&outcome);
    assert_eq!(outcome.events, 20);
}
