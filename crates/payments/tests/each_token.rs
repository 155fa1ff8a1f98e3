//! What each token does.

use std::time::{Duration, Instant};

use payments::{Authorise, Gateway, Outcome};

use crate::given::{Running, adapter, authorise, decided, done, nowhere, refused, unknown, won};

#[tokio::test]
async fn approve_holds_the_money() {
    let sandbox = Running::start(&nowhere()).await;
    let asked = authorise("approve");
    let held = done(sandbox.adapter.authorise(&asked).await);
    assert_eq!((held.amount, held.captured, held.capture(asked.payment_id)), (won(1_000), false, None));
    assert_eq!(done(sandbox.adapter.lookup(asked.payment_id).await), held);
    assert_eq!(sandbox.kinds(asked.payment_id).await, ["accepted", "authorised"]);
}

#[tokio::test]
async fn approve_at_once_takes_the_money() {
    let sandbox = Running::start(&nowhere()).await;
    let asked = Authorise { capture: true, ..authorise("approve") };
    let taken = done(sandbox.adapter.authorise(&asked).await);
    assert!(taken.captured);
    assert_eq!(taken.capture(asked.payment_id).unwrap().0, asked.payment_id.0);
    assert_eq!(done(sandbox.adapter.lookup(asked.payment_id).await), taken);
    assert_eq!(sandbox.kinds(asked.payment_id).await, ["accepted", "authorised", "captured"]);
}

#[tokio::test]
async fn decline_and_anything_that_is_no_token_are_refused() {
    let sandbox = Running::start(&nowhere()).await;
    for (token, reason) in [("decline", "declined"), ("", "unknown_token"), ("APPROVE", "unknown_token")] {
        let asked = authorise(token);
        assert_eq!(refused(sandbox.adapter.authorise(&asked).await), reason);
        assert_eq!(refused(sandbox.adapter.lookup(asked.payment_id).await), reason);
        assert_eq!(sandbox.kinds(asked.payment_id).await, ["accepted", "declined"]);
    }
}

#[tokio::test]
async fn slow_takes_its_time() {
    let sandbox = Running::start(&nowhere()).await;
    let begun = Instant::now();
    done(sandbox.adapter.authorise(&authorise("slow")).await);
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn timeout_after_charge_holds_the_money_and_says_nothing() {
    let sandbox = Running::start(&nowhere()).await;
    let impatient = adapter(sandbox.address, Duration::from_millis(300));
    let asked = authorise("timeout_after_charge");
    assert_eq!(unknown(impatient.authorise(&asked).await), "time-out");
    let found = done(impatient.lookup(asked.payment_id).await);
    assert_eq!(done(impatient.authorise(&asked).await), found, "asked again it answers at once");
    assert_eq!(sandbox.kinds(asked.payment_id).await, ["accepted", "authorised"]);
}

#[tokio::test]
async fn webhook_tokens_are_decided_later() {
    let sandbox = Running::start(&nowhere()).await;
    for token in ["webhook_late", "webhook_twice", "webhook_reordered"] {
        let asked = authorise(token);
        assert_eq!(sandbox.adapter.authorise(&asked).await, Outcome::Pending, "{token}");
        done(decided(&sandbox.adapter, asked.payment_id).await);
        assert_eq!(sandbox.kinds(asked.payment_id).await, ["accepted", "authorised"], "{token}");
    }
}

#[tokio::test]
async fn a_payment_that_it_does_not_know_is_of_unknown_outcome() {
    let sandbox = Running::start(&nowhere()).await;
    assert_eq!(unknown(sandbox.adapter.lookup(authorise("approve").payment_id).await), "status 404");
}
