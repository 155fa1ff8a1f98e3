use std::time::Duration;

use event_store::Lane;
use tokio::sync::Semaphore;

use super::split::split;
use super::tally::{Refuses, Tally, history, inside, received, seen, something};
use crate::history::History;
use crate::{Error, ReadModel, parked};

const PARTITIONS: u32 = 3;

fn all(until: i64) -> Vec<i64> {
    (1..=until).collect()
}

fn tallies(tallies: &[&Tally]) -> impl Fn() -> Vec<Box<dyn ReadModel>> + Send + Sync + 'static {
    let tallies: Vec<Tally> = tallies.iter().copied().cloned().collect();
    move || tallies.iter().map(|tally| Box::new(tally.clone()) as Box<dyn ReadModel>).collect()
}

async fn lanes(history: &History, model: &str) -> Vec<Lane> {
    let progress = crate::progress(&history.read).await.unwrap();
    let own = progress.iter().find(|progress| progress.name == model).unwrap();
    own.lanes.iter().map(|(lane, _)| *lane).collect()
}

#[tokio::test]
async fn what_was_never_folded_catches_up_in_the_log_and_goes_on_in_the_partitions() {
    let mut history = history(700).await;
    let first = Tally::named("first");
    let running = history.follow(tallies(&[&first]), split(&history.store, PARTITIONS, |_| true, None));
    history.reaches("first").await;
    for _ in 0..30 {
        history.append([something(), received("A")]).await;
    }
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, all(760));
    running.stop().await.unwrap();
    let mut wanted: Vec<Lane> = Lane::all(PARTITIONS).collect();
    let mut found = lanes(&history, "first").await;
    wanted.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn several_share_the_partitions_and_take_every_event_once() {
    let mut history = history(40).await;
    let first = Tally::named("first");
    let one = split(&history.store, PARTITIONS, |partition| partition == 0, None);
    let two = split(&history.store, PARTITIONS, |partition| partition > 0, None);
    let (one, two) = (history.follow(tallies(&[&first]), one), history.follow(tallies(&[&first]), two));
    for _ in 0..60 {
        history.append([something(), received("A"), received("B")]).await;
    }
    history.reaches("first").await;
    // One leaves, and another one has them all.
    two.stop().await.unwrap();
    history.append([something(), received("A"), received("B")]).await;
    let three = history.follow(tallies(&[&first]), split(&history.store, PARTITIONS, |_| true, None));
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, all(223));
    one.stop().await.unwrap();
    three.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_read_from_the_log() {
    let mut history = history(10).await;
    let first = Tally::named("first");
    let running = history.follow(tallies(&[&first]), split(&history.store, PARTITIONS, |_| true, Some(3)));
    history.reaches("first").await;
    for _ in 0..100 {
        history.append([something(), received("A"), received("B")]).await;
    }
    // The last deliveries may be among those that are lost: something after them shows what is missing.
    let head = history.store.head().await.unwrap().position;
    let reached = async {
        while !crate::reached(&history.read, "first", head, tokio::time::Instant::now()).await.unwrap() {
            history.append([something()]).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap();
    running.stop().await.unwrap();
    let seen = seen(&history, "first").await;
    assert_eq!(seen[..310], all(310));
}

#[tokio::test]
async fn a_model_that_is_added_later_joins_the_partitions() {
    let mut history = history(600).await;
    let (first, second) = (Tally::named("first"), Tally::named("second"));
    let feed = || split(&history.store, PARTITIONS, |_| true, None);
    let running = history.follow(tallies(&[&first]), feed());
    history.reaches("first").await;
    running.stop().await.unwrap();
    let running = history.follow(tallies(&[&first, &second]), feed());
    for _ in 0..50 {
        history.append([something(), received("A")]).await;
    }
    history.reaches("second").await;
    history.append([something(), received("A")]).await;
    history.reaches("first").await;
    history.reaches("second").await;
    assert_eq!((seen(&history, "first").await, seen(&history, "second").await), (all(702), all(702)));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_batch_that_is_dropped_in_the_middle_changes_nothing() {
    let mut history = history(0).await;
    let tally = Tally { gate: Semaphore::new(0).into(), ..Tally::named("first") };
    let feed = || split(&history.store, PARTITIONS, |_| true, None);
    let running = history.follow(tallies(&[&tally]), feed());
    while lanes_of_partitions(&history).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let again = feed();
    history.append([something(), received("A"), received("B")]).await;
    while inside(&history).await == 0 {
        tokio::task::yield_now().await;
    }
    running.task.abort();
    assert!(running.task.await.unwrap_err().is_cancelled());
    assert_eq!(seen(&history, "first").await, [0_i64; 0]);
    let running = history.follow(tallies(&[&Tally::named("first")]), again);
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, all(3));
    running.stop().await.unwrap();
}

async fn lanes_of_partitions(history: &History) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM read.progress WHERE lane <> 'log'")
        .fetch_one(&history.read)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_stream_is_parked_and_the_others_of_its_partition_go_on() {
    let mut history = history(10).await;
    let first = Tally::named("first");
    let running = history.follow(tallies(&[&first]), split(&history.store, 1, |_| true, None));
    history.reaches("first").await;
    *first.refuses.lock().unwrap() = Refuses::One(11);
    history.append([received("A"), received("B"), received("A")]).await;
    history.reaches("first").await;
    assert_eq!(seen(&history, "first").await, [all(10), vec![12]].concat());
    let parked = parked(&history.read).await.unwrap().remove(0);
    assert_eq!((parked.position, parked.lane.as_str()), (11, "stock/0/1"));
    *first.refuses.lock().unwrap() = Refuses::Nothing;
    crate::parked::retry_model(&history.read, &history.store, &first, None).await.unwrap();
    assert_eq!(seen(&history, "first").await, all(13));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_log_that_becomes_another_one_stops_it() {
    let mut history = history(3).await;
    let feed = split(&history.store, PARTITIONS, |_| true, None);
    let running = history.follow(tallies(&[&Tally::named("first")]), feed);
    history.reaches("first").await;
    history.store.bump_epoch().await.unwrap();
    history.append([something()]).await;
    let stopped = tokio::time::timeout_at(crate::history::deadline(), running.task).await.unwrap();
    assert!(matches!(stopped.unwrap().unwrap_err(), Error::OtherEpoch { .. }));
    assert_eq!(seen(&history, "first").await, [1, 2, 3]);
}

/// From the log to partitions, to another number of them, and back: what real read models show is what the log says.
#[tokio::test]
async fn lanes_can_be_changed_at_any_time() {
    let mut history = History::begin().await;
    let names: Vec<&'static str> = crate::models().iter().map(|model| model.name()).collect();
    for (round, partitions) in [None, Some(2), Some(5), None, Some(1), None].into_iter().enumerate() {
        for number in 0..20 {
            history.append([received(&format!("ITEM-{}", number % 7)), something()]).await;
        }
        if round == 0 {
            let order = crate::orders::examples::happened(crate::orders::examples::placed());
            history.append([order]).await;
        }
        let running = match partitions {
            None => history.run(crate::models()),
            Some(of) => history.follow(crate::models, split(&history.store, of, |_| true, None)),
        };
        for name in &names {
            history.reaches(name).await;
        }
        running.stop().await.unwrap();
    }
    let checks = crate::verify::run(&history.store, &history.read).await.unwrap();
    let failing: Vec<_> = checks
        .into_iter()
        .filter(|check| check.name.ends_with("is what the log says") && !check.ok)
        .collect();
    assert_eq!(failing, []);
}
