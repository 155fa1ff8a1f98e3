//! Callers who do not wait for the answer.

use axum::body::Body;
use axum::http::Request;
use futures::FutureExt;
use payments::Authorise;
use secrecy::ExposeSecret;
use serde_json::json;
use tower::ServiceExt;

use crate::given::{Running, authorise, decided, done, nowhere};

/// It is in the book as soon as it is asked for, and the caller is gone before the book is on the disk.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_is_decided_though_the_caller_is_gone() {
    let sandbox = Running::start(&nowhere()).await;
    let mut gone = 0;
    for token in ["webhook_late", "webhook_twice", "webhook_reordered"].repeat(5) {
        let asked = authorise(token);
        let answer = sandbox.router.clone().oneshot(request(&asked)).now_or_never();
        // A disk that is faster than this thread answers before the caller can go away; that is no failure.
        gone += u32::from(answer.is_none());
        sandbox.accepted(asked.payment_id).await;
        assert_eq!(done(decided(&sandbox.adapter, asked.payment_id).await).amount, asked.amount);
    }
    assert!(gone > 0, "every caller was answered before it could go away");
}

fn request(asked: &Authorise) -> Request<Body> {
    let body = json!({
        "payment_id": asked.payment_id,
        "order_id": asked.order_id,
        "amount": asked.amount,
        "token": asked.token.expose_secret(),
        "capture": asked.capture,
    });
    let request = Request::post("/v1/payments").header("Content-Type", "application/json");
    request.body(Body::from(body.to_string())).unwrap()
}
