//! Two relays: one leads.

use std::time::{Duration, Instant};

use super::stage::Relayed;
use crate::given::shop;
use crate::stage::DEADLINE;

/// Waits until somebody else leads than this one; who.
async fn leader_after(relayed: &Relayed, before: Option<uuid::Uuid>) -> (i64, uuid::Uuid) {
    let begun = Instant::now();
    loop {
        let (term, _, leader) = relayed.checkpoint().await;
        if let Some(leader) = leader.filter(|leader| Some(*leader) != before) {
            return (term, leader);
        }
        assert!(begun.elapsed() < DEADLINE, "nobody takes the lead");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_and_the_other_takes_over_when_it_dies() {
    let relayed = Relayed::new().await;
    shop(&relayed.store, 5, 5).await;
    let one = relayed.start();
    relayed.stored().await;
    let (_, first) = leader_after(&relayed, None).await;
    let other = relayed.start();
    // Longer than the lease: it is renewed whether there is something to publish or not.
    let deadline = Instant::now() + relayed.options.lease * 2;
    while Instant::now() < deadline {
        assert_eq!(relayed.checkpoint().await.2, Some(first));
        shop(&relayed.store, 1, 1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    one.crash().await;
    shop(&relayed.store, 5, 5).await;
    leader_after(&relayed, Some(first)).await;
    relayed.stored().await;
    assert_eq!(relayed.is_the_log().await, 0);
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_hands_over_at_once() {
    let mut relayed = Relayed::new().await;
    relayed.options.lease = Duration::from_secs(20);
    shop(&relayed.store, 5, 5).await;
    let one = relayed.start();
    relayed.stored().await;
    let (term, first) = leader_after(&relayed, None).await;
    one.stop().await;
    assert_eq!(relayed.checkpoint().await.2, None, "the lead was given up");
    let begun = Instant::now();
    let other = relayed.start();
    let (next, _) = leader_after(&relayed, Some(first)).await;
    assert!(next > term && begun.elapsed() < Duration::from_secs(10));
    other.stop().await;
}

/// The database says that another one leads, whatever the old one thinks.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_term_is_over_stops_publishing() {
    let relayed = Relayed::new().await;
    let one = relayed.start();
    shop(&relayed.store, 5, 5).await;
    relayed.stored().await;
    let sql = "UPDATE relay.checkpoints SET term = term + 1, leader = gen_random_uuid(),
                      leads_until = clock_timestamp() + interval '2 seconds'";
    sqlx::query(sql).execute(&relayed.database.pool).await.unwrap();
    let (term, position, stranger) = relayed.checkpoint().await;
    shop(&relayed.store, 5, 5).await;
    // The stranger publishes nothing, so nothing moves before its lease is over.
    let (next, _) = leader_after(&relayed, stranger).await;
    assert_eq!(next, term + 1);
    assert!(relayed.checkpoint().await.1 >= position);
    relayed.stored().await;
    one.stop().await;
    relayed.is_the_log().await;
}
