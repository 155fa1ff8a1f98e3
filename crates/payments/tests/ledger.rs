//! What it did outlives it.

use std::io::Write;

use domain::ids::CaptureId;
use payments::{Gateway, Outcome};
use uuid::Uuid;

use crate::given::{Receiver, Running, authorise, decided, done, nowhere, won};

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let mut sandbox = Running::start(&nowhere()).await;
    let held = sandbox.held().await;
    let id = CaptureId(Uuid::now_v7());
    assert_eq!(sandbox.capture(&held, id, won(700)).await, Outcome::Done(()));
    let before = sandbox.ledger().await;
    sandbox.restart().await;
    assert_eq!(sandbox.ledger().await, before);
    assert_eq!(done(sandbox.adapter.authorise(&held.0).await).reference, held.1);
    assert_eq!(sandbox.capture(&held, id, won(700)).await, Outcome::Done(()));
    assert_eq!(sandbox.ledger().await, before, "the same keys are still the same things");
}

/// A line that was being written when it died was never answered.
#[tokio::test]
async fn half_a_line_is_cut_off() {
    cut_off(br#"{"kind":"voided","payment_"#).await;
}

/// Neither was one that ends in the middle of a character.
#[tokio::test]
async fn half_a_character_is_cut_off() {
    cut_off(b"{\"kind\":\"declined\",\"reason\":\"\xEA\xB1").await;
}

async fn cut_off(half: &[u8]) {
    let mut sandbox = Running::start(&nowhere()).await;
    let held = sandbox.held().await;
    let before = sandbox.ledger().await;
    sandbox.stop();
    let mut file = std::fs::OpenOptions::new().append(true).open(sandbox.folder.join("ledger")).unwrap();
    file.write_all(half).unwrap();
    sandbox.restart().await;
    assert_eq!(sandbox.ledger().await, before);
    assert_eq!(sandbox.void(&held).await, Outcome::Done(()));
    sandbox.restart().await;
    assert_eq!(sandbox.kinds(held.0.payment_id).await, ["accepted", "authorised", "voided"]);
}

#[tokio::test]
async fn what_was_to_be_decided_is_decided_after_a_restart() {
    let mut receiver = Receiver::start(0).await;
    let mut sandbox = Running::start(&receiver.url).await;
    let asked = authorise("webhook_late");
    assert_eq!(sandbox.adapter.authorise(&asked).await, Outcome::Pending);
    sandbox.restart().await;
    done(decided(&sandbox.adapter, asked.payment_id).await);
    assert_eq!(receiver.came(1).await.len(), 1);
    assert_eq!(sandbox.kinds(asked.payment_id).await, ["accepted", "authorised"]);
}

#[tokio::test]
async fn what_was_not_told_is_told_after_a_restart() {
    // More than are tried before the restart: the pauses between tries double.
    let mut receiver = Receiver::start(2).await;
    let mut sandbox = Running::start(&receiver.url).await;
    let asked = authorise("webhook_reordered");
    assert_eq!(sandbox.adapter.authorise(&asked).await, Outcome::Pending);
    done(decided(&sandbox.adapter, asked.payment_id).await);
    assert_eq!(receiver.count(), 0);
    sandbox.restart().await;
    assert!(receiver.came(2).await.len() >= 2);
}
