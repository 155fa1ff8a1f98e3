//! The lead is had by one, and an older term moves nothing.

use event_store::testing::TestDatabase;
use event_store::{EventStore, Lane};
use futures::future::join_all;

use super::*;
use crate::connection::{Kafka, Security};

const LEASE: Duration = Duration::from_millis(300);

fn layout() -> Layout {
    let (brokers, topics) = (String::new(), "t".to_owned());
    Layout::of(&Kafka { brokers, security: Security::Plaintext, topics, partitions: 3, replication: 1 })
}

async fn database() -> (TestDatabase, EventStore) {
    let database = TestDatabase::create().await;
    crate::relay::migrate(&database.pool).await.unwrap();
    let store = database.store().await;
    (database, store)
}

fn candidate(store: &EventStore) -> Candidate {
    Candidate { pool: store.pool().clone(), relay: Uuid::now_v7(), topics: "t".to_owned(), lease: LEASE }
}

fn place(position: u64) -> Place {
    Place { last_event: Position(position), through: Position(position), offset: Some(7) }
}

#[tokio::test]
async fn of_many_that_ask_at_once_one_leads() {
    let (_database, store) = database().await;
    let candidates: Vec<_> = (0..8).map(|_| candidate(&store)).collect();
    let layout = layout();
    let taken = join_all(candidates.iter().map(|each| each.take(&layout))).await;
    assert_eq!(taken.into_iter().filter(|lead| lead.as_ref().unwrap().is_some()).count(), 1);
}

#[tokio::test]
async fn an_older_term_moves_nothing_when_it_wakes_late() {
    let (_database, store) = database().await;
    let (old, new, layout) = (candidate(&store), candidate(&store), layout());
    let lane = Lane::all(3).next().unwrap().to_string();
    let first = old.take(&layout).await.unwrap().unwrap();
    assert!(old.move_to(first.term, Position(3), &[(lane.clone(), place(3))]).await.unwrap().led);
    assert!(new.take(&layout).await.unwrap().is_none());
    let second = loop {
        match new.take(&layout).await.unwrap() {
            Some(lead) => break lead,
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert!(second.term > first.term);
    assert_eq!((second.position, second.places[0]), (Position(3), place(3)));
    let late = old.move_to(first.term, Position(9), &[(lane, place(9))]).await.unwrap();
    assert!(!late.led);
    old.release(first.term).await.unwrap();
    assert!(new.move_to(second.term, Position(4), &[]).await.unwrap().led, "the old one released nothing");
    // The same relay with an older term of its own is old, too.
    new.release(second.term).await.unwrap();
    let third = old.take(&layout).await.unwrap().unwrap();
    assert_eq!((third.position, third.places[0]), (Position(4), place(3)));
    assert!(!old.move_to(first.term, Position(9), &[]).await.unwrap().led);
}

#[tokio::test]
async fn the_checkpoint_of_another_log_is_not_moved() {
    let (_database, store) = database().await;
    let (candidate, layout) = (candidate(&store), layout());
    let lead = candidate.take(&layout).await.unwrap().unwrap();
    let bumped = store.bump_epoch().await.unwrap();
    let moved = candidate.move_to(lead.term, Position(3), &[]).await.unwrap();
    assert!(!moved.led && moved.log() == bumped);
    assert_eq!(candidate.take(&layout).await.unwrap().unwrap().position, Position(0));
}
