use domain::ids::{CaptureId, DisputeId, RefundId};
use domain::payment::{self, Operation};
use domain::{Event, Personal, StreamId};
use serde_json::json;
use uuid::Uuid;

use super::row::Outcome;
use super::{Payments, query};
use crate::orders::examples::{ORDER, PAYMENT, subject, won};
use crate::orders::given::{at, given};

const CAPTURE: CaptureId = CaptureId(Uuid::from_u128(0x21));
const REFUND: RefundId = RefundId(Uuid::from_u128(0x22));

fn happened(event: impl Into<payment::Event>) -> (StreamId, Event) {
    (StreamId::payment(PAYMENT), Event::Payment(event.into()))
}

fn requested() -> (StreamId, Event) {
    happened(payment::Requested {
        payment_id: PAYMENT,
        order_id: ORDER,
        amount: won(123_000),
        gateway: "sandbox".to_owned(),
        subject: subject(),
        personal: Personal::Known("approve".to_owned()),
    })
}

fn authorised() -> (StreamId, Event) {
    happened(payment::Authorised { gateway_reference: "sb-1".to_owned(), amount: won(123_000) })
}

fn capture_requested() -> (StreamId, Event) {
    happened(payment::CaptureRequested { capture_id: CAPTURE, amount: won(123_000), shipment_id: None })
}

#[tokio::test]
async fn an_authorised_captured_and_partly_refunded_payment_shows_every_call() {
    let refund =
        payment::RefundRequested { refund_id: REFUND, amount: won(60_000), reason: "return".to_owned() };
    let given = given(Payments, [requested()])
        .await
        .then("payments", json!({"status": "requested", "gateway_reference": null, "captured": 0}))
        .await
        .when([authorised(), capture_requested()])
        .await
        .when([happened(payment::Captured { capture_id: CAPTURE, amount: won(123_000) }), happened(refund)])
        .await
        .then(
            "payments",
            json!({"status": "authorised", "gateway_reference": "sb-1", "captured": 123_000, "refunded": 0}),
        )
        .await
        .when([happened(payment::Refunded { refund_id: REFUND, amount: won(60_000) })])
        .await
        .then("payments", json!({"refunded": 60_000, "disputed": 0, "version": 6}))
        .await
        .and_again()
        .await;
    let payment = query::of_order(&given.pool, ORDER).await.unwrap().unwrap();
    let attempts: Vec<_> =
        payment.attempts.iter().map(|attempt| (attempt.operation, attempt.outcome)).collect();
    let done = [Operation::Authorise, Operation::Capture(CAPTURE), Operation::Refund(REFUND)];
    assert_eq!(attempts, done.map(|operation| (operation, Outcome::Done)));
    assert_eq!(payment.attempts[1].requested_at, at(3));
    assert_eq!(payment.attempts[1].settled_at, Some(at(4)));
}

#[tokio::test]
async fn an_unknown_outcome_is_shown_as_unknown_until_it_is_known() {
    let unknown = || {
        let reason = "time-out".to_owned();
        happened(payment::OutcomeUnknown { operation: Operation::Authorise, reason })
    };
    let given = given(Payments, [requested()]).await.when([unknown(), unknown()]).await;
    let payment = query::of_order(&given.pool, ORDER).await.unwrap().unwrap();
    let attempt = &payment.attempts[0];
    assert_eq!((attempt.outcome, attempt.times_unknown), (Outcome::Unknown, 2));
    assert_eq!((attempt.reason.as_deref(), attempt.settled_at), (Some("time-out"), None));

    let given = given.when([authorised()]).await.and_again().await;
    let payment = query::of_order(&given.pool, ORDER).await.unwrap().unwrap();
    let attempt = &payment.attempts[0];
    assert_eq!((attempt.outcome, attempt.times_unknown), (Outcome::Done, 2));
    assert_eq!((attempt.reason.as_deref(), attempt.settled_at), (None, Some(at(4))));
}

#[tokio::test]
async fn what_the_gateway_refuses_says_why() {
    let declined = happened(payment::Failed { reason: "declined".to_owned() });
    let given = given(Payments, [requested(), declined])
        .await
        .then("payments", json!({"status": "failed", "captured": 0}))
        .await;
    let payment = query::of_order(&given.pool, ORDER).await.unwrap().unwrap();
    let attempt = &payment.attempts[0];
    assert_eq!((attempt.outcome, attempt.reason.as_deref()), (Outcome::Failed, Some("declined")));
}

#[tokio::test]
async fn a_dispute_is_no_refund() {
    let captured = happened(payment::Captured { capture_id: CAPTURE, amount: won(123_000) });
    let dispute_id = DisputeId(Uuid::from_u128(0x23));
    let disputed = happened(payment::Disputed { dispute_id, amount: won(5_000), reason: "fraud".to_owned() });
    given(Payments, [requested(), authorised(), capture_requested(), captured])
        .await
        .when([disputed])
        .await
        .then("payments", json!({"captured": 123_000, "refunded": 0, "disputed": 5_000}))
        .await
        .and_again()
        .await;
}
