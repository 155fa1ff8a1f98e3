//! The same key twice is the same thing, once. Money is taken and given back within its bounds.

use domain::ids::{CaptureId, RefundId};
use payments::{Authorise, Gateway, Outcome};
use uuid::Uuid;

use crate::given::{Running, authorise, done, nowhere, refused, unknown, won};

fn capture_id() -> CaptureId {
    CaptureId(Uuid::now_v7())
}

fn refund_id() -> RefundId {
    RefundId(Uuid::now_v7())
}

#[tokio::test]
async fn asked_twice_it_is_charged_once() {
    let sandbox = Running::start(&nowhere()).await;
    let asked = authorise("approve");
    let (first, second) = tokio::join!(sandbox.adapter.authorise(&asked), sandbox.adapter.authorise(&asked));
    assert_eq!(done(first), done(second));
    assert_eq!(sandbox.kinds(asked.payment_id).await, ["accepted", "authorised"]);
}

/// A key that stands for something else says nothing of what became of that: it is no refusal.
#[tokio::test]
async fn the_same_key_for_something_else_is_of_unknown_outcome() {
    let sandbox = Running::start(&nowhere()).await;
    let held = sandbox.held().await;
    let other = Authorise { amount: won(2), ..held.0.clone() };
    assert_eq!(unknown(sandbox.adapter.authorise(&other).await), "idempotency_mismatch");
    let id = capture_id();
    assert_eq!(sandbox.capture(&held, id, won(10)).await, Outcome::Done(()));
    assert_eq!(unknown(sandbox.capture(&held, id, won(11)).await), "idempotency_mismatch");
    assert_eq!(sandbox.kinds(held.0.payment_id).await, ["accepted", "authorised", "captured"]);
}

#[tokio::test]
async fn captures_stay_within_what_is_held() {
    let sandbox = Running::start(&nowhere()).await;
    let held = sandbox.held().await;
    let first = capture_id();
    for _ in 0..2 {
        assert_eq!(sandbox.capture(&held, first, won(600)).await, Outcome::Done(()));
    }
    assert_eq!(refused(sandbox.capture(&held, capture_id(), won(401)).await), "amount_too_high");
    assert_eq!(refused(sandbox.capture(&held, capture_id(), won(0)).await), "amount_too_high");
    assert_eq!(sandbox.capture(&held, capture_id(), won(400)).await, Outcome::Done(()));
    assert_eq!(refused(sandbox.void(&held).await), "captured_already");
    let kinds = ["accepted", "authorised", "captured", "captured"];
    assert_eq!(sandbox.kinds(held.0.payment_id).await, kinds);
}

#[tokio::test]
async fn refunds_stay_within_what_is_taken() {
    let sandbox = Running::start(&nowhere()).await;
    let held = sandbox.held().await;
    assert_eq!(refused(sandbox.refund(&held, refund_id(), won(1)).await), "amount_too_high");
    assert_eq!(sandbox.capture(&held, capture_id(), won(500)).await, Outcome::Done(()));
    let first = refund_id();
    for _ in 0..2 {
        assert_eq!(sandbox.refund(&held, first, won(300)).await, Outcome::Done(()));
    }
    assert_eq!(refused(sandbox.refund(&held, refund_id(), won(201)).await), "amount_too_high");
    assert_eq!(sandbox.refund(&held, refund_id(), won(200)).await, Outcome::Done(()));
    let kinds = ["accepted", "authorised", "captured", "refunded", "refunded"];
    assert_eq!(sandbox.kinds(held.0.payment_id).await, kinds);
}

#[tokio::test]
async fn what_is_let_go_cannot_be_taken() {
    let sandbox = Running::start(&nowhere()).await;
    let held = sandbox.held().await;
    for _ in 0..2 {
        assert_eq!(sandbox.void(&held).await, Outcome::Done(()));
    }
    assert_eq!(refused(sandbox.capture(&held, capture_id(), won(1)).await), "voided");
    assert_eq!(sandbox.kinds(held.0.payment_id).await, ["accepted", "authorised", "voided"]);
}

#[tokio::test]
async fn nothing_is_taken_of_what_was_declined() {
    let sandbox = Running::start(&nowhere()).await;
    let declined = (authorise("decline"), String::new());
    refused(sandbox.adapter.authorise(&declined.0).await);
    assert_eq!(refused(sandbox.capture(&declined, capture_id(), won(1)).await), "not_authorised");
    assert_eq!(refused(sandbox.void(&declined).await), "not_authorised");
}
