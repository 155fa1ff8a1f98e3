//! A relay that was frozen while it led, and sends what it still has when another one leads.

use super::stage::Relayed;
use crate::given::shop;
use crate::published::Publisher;

async fn prepared(events: usize) -> Relayed {
    let relayed = Relayed::new().await;
    shop(&relayed.store, events, 5).await;
    relayed
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_sends_after_the_new_leader_is_known_to_everybody() {
    let relayed = prepared(10).await;
    let mut frozen = Publisher::new(&relayed.kafka);
    let unsent = frozen.envelopes(&relayed.store).await;
    frozen.send_all(&unsent[..20]).await;
    let running = relayed.start();
    relayed.stored().await;
    assert_eq!(relayed.is_the_log().await, 0, "the new one goes on after the twenty");
    frozen.send_all(&unsent[20..]).await;
    frozen.watermarks(unsent[0].epoch).await;
    shop(&relayed.store, 10, 5).await;
    relayed.stored().await;
    running.stop().await;
    assert!(relayed.is_the_log().await > 0, "the rest is there twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_sends_between_two_leaders_counts_as_far_as_nothing_is_missing() {
    let relayed = prepared(10).await;
    let mut frozen = Publisher::new(&relayed.kafka);
    let unsent = frozen.envelopes(&relayed.store).await;
    // Its first records were lost: what comes after them counts nowhere.
    frozen.send_all(&unsent[30..]).await;
    let running = relayed.start();
    relayed.stored().await;
    running.crash().await;
    relayed.is_the_log().await;
    shop(&relayed.store, 10, 5).await;
    let unsent = frozen.envelopes(&relayed.store).await;
    frozen.send_all(&unsent).await;
    let repeated = relayed.start();
    relayed.stored().await;
    repeated.stop().await;
    relayed.is_the_log().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_sends_while_another_one_publishes_the_same_changes_nothing() {
    let relayed = prepared(1).await;
    let running = relayed.start();
    relayed.stored().await;
    let mut frozen = Publisher::new(&relayed.kafka);
    for _ in 0..5 {
        let (_, unsent) = tokio::join!(shop(&relayed.store, 10, 5), frozen.envelopes(&relayed.store));
        frozen.send_all(&unsent).await;
    }
    relayed.stored().await;
    running.stop().await;
    relayed.is_the_log().await;
}
