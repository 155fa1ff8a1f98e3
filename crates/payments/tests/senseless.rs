//! Only an answer that is understood is an outcome.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use payments::Gateway;
use tokio::net::TcpListener;

use crate::given::{adapter, authorise, refused, unknown};

/// A server that always says the same.
async fn saying(status: StatusCode, body: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(move || async move { (status, body) });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

#[tokio::test]
async fn what_cannot_be_understood_is_of_unknown_outcome() {
    let refusal = r#"{"reason":"declined"}"#;
    let long = format!(r#"{{"status":"authorised","filler":"{}"}}"#, "x".repeat(70_000));
    let answers = [
        (StatusCode::OK, "", "an answer that cannot be read"),
        (StatusCode::OK, "<html>", "an answer that cannot be read"),
        (StatusCode::OK, r#"{"status":"authorised"}"#, "an answer that cannot be read"),
        (
            StatusCode::OK,
            r#"{"status":"dancing","reference":"r","amount":{"amount":1,"currency":"KRW"}}"#,
            "an answer that cannot be read",
        ),
        (StatusCode::OK, &long, "the answer is too long"),
        (StatusCode::FOUND, "", "status 302"),
        (StatusCode::PAYMENT_REQUIRED, "", "status 402"),
        (StatusCode::BAD_REQUEST, refusal, "status 400"),
        (StatusCode::UNAUTHORIZED, refusal, "status 401"),
        (StatusCode::TOO_MANY_REQUESTS, refusal, "status 429"),
        (StatusCode::INTERNAL_SERVER_ERROR, refusal, "status 500"),
        (StatusCode::BAD_GATEWAY, "", "status 502"),
    ];
    for (status, body, why) in answers {
        let adapter = adapter(saying(status, body.to_owned()).await, Duration::from_secs(20));
        let asked = authorise("approve");
        assert_eq!(unknown(adapter.authorise(&asked).await), why, "{status} {body:.40}");
        assert_eq!(unknown(adapter.lookup(asked.payment_id).await), why, "{status} {body:.40}");
    }
}

#[tokio::test]
async fn a_no_that_says_why_is_a_no() {
    for status in [StatusCode::PAYMENT_REQUIRED, StatusCode::CONFLICT] {
        let adapter =
            adapter(saying(status, r#"{"reason":"lost"}"#.to_owned()).await, Duration::from_secs(20));
        assert_eq!(refused(adapter.authorise(&authorise("approve")).await), "lost");
    }
}

#[tokio::test]
async fn nobody_there_is_of_unknown_outcome() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let adapter = adapter(closed, Duration::from_secs(20));
    assert_eq!(unknown(adapter.authorise(&authorise("approve")).await), "no connection");
}
