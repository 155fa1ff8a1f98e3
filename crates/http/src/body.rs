//! JSON bodies, read strictly: the right content type, at most a mebibyte, no unknown fields (the types say so), no NUL, and
//! not nested deeper than anything here is.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::Problem;

/// The largest body.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// So many bodies are read at once in this process; whoever comes then is told to come again.
const READ_AT_ONCE: usize = 4_096;
/// A body that takes longer to arrive is not waited for.
const READ_MAX: Duration = Duration::from_secs(10);
/// So much of a body that is refused is still taken from whoever sends it.
const DISCARDED_BYTES_MAX: usize = 16 * BODY_BYTES_MAX;
static READING: Semaphore = Semaphore::const_new(READ_AT_ONCE);
/// Nothing here is nested deeper.
const DEPTH_MAX: usize = 32;

/// A JSON body, with its bytes.
#[derive(Debug)]
pub struct Json<T> {
    /// What it says.
    pub value: T,
    /// What it was.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Self::parse(json_bytes(request).await?)
    }
}

impl<T: DeserializeOwned> Json<T> {
    /// Reads the bytes of a body (see [`json_bytes`]).
    pub fn parse(bytes: Bytes) -> Result<Self, Problem> {
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

/// The bytes of a JSON body: of the right content type, not too large, not too deep. No body is an empty object.
pub async fn json_bytes(request: Request) -> Result<Bytes, Problem> {
    let content_type = check_content_type(request.headers());
    let bytes = body_bytes(request, BODY_BYTES_MAX).await?;
    if bytes.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    content_type?;
    check_depth(&bytes)?;
    Ok(bytes)
}

/// The bytes of a body of whatever type: not too large, not too slow, and not together with too many others.
pub async fn body_bytes(request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    read(request, bytes_max, &READING, READ_MAX).await
}

/// The place is given back as soon as the body is there: a call that waits for something else holds none.
async fn read(
    request: Request,
    bytes_max: usize,
    places: &Semaphore,
    time: Duration,
) -> Result<Bytes, Problem> {
    let Ok(_place) = places.try_acquire() else {
        let detail = "too many bodies are being read; come again";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_after(1));
    };
    let asks_first = request.headers().contains_key(EXPECT);
    let mut body = request.into_body();
    if asks_first && body.size_hint().lower() > bytes_max as u64 {
        // Whoever asks before sending has sent nothing.
        return Err(Problem::body_too_large(bytes_max));
    }
    let deadline = Instant::now() + time;
    match timeout_at(deadline, collect(&mut body, bytes_max)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => {
            let _ = timeout_at(deadline, discard(&mut body)).await;
            Err(Problem::body_too_large(bytes_max))
        }
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "broken-body", "the body could not be read")),
        Err(_) => {
            let detail = format!("a body has {} seconds to arrive", time.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail))
        }
    }
}

/// The next bytes of a body; none at its end.
async fn next(body: &mut Body) -> Result<Option<Bytes>, axum::Error> {
    loop {
        let Some(frame) = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await else {
            return Ok(None);
        };
        if let Ok(data) = frame?.into_data() {
            return Ok(Some(data));
        }
    }
}

/// All of a body; nothing when it has more bytes than that.
async fn collect(body: &mut Body, bytes_max: usize) -> Result<Option<Bytes>, axum::Error> {
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > bytes_max {
        return Ok(None);
    }
    let mut all = Vec::with_capacity(declared);
    while let Some(data) = next(body).await? {
        if all.len() + data.len() > bytes_max {
            return Ok(None);
        }
        all.extend_from_slice(&data);
    }
    Ok(Some(all.into()))
}

/// Takes what is still being sent of a body that is refused. Most clients read no answer before they have sent all: on a connection
/// that closes under them they would never learn what was wrong (RFC 9112, 9.6).
async fn discard(body: &mut Body) {
    let mut taken = 0;
    while let Ok(Some(data)) = next(body).await {
        taken += data.len();
        if taken > DISCARDED_BYTES_MAX {
            return;
        }
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = format!("the body must be application/json, not {essence:?}");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail))
}

/// Counted before parsing, so that no parser is ever sent down a deep hole.
fn check_depth(bytes: &[u8]) -> Result<(), Problem> {
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            b'{' | b'[' if !text => depth += 1,
            b'}' | b']' if !text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            let detail = format!("the body is nested deeper than {DEPTH_MAX}");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "malformed-json", detail));
        }
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    use serde_json::error::Category;
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        // A wrong field is worth naming only in what is JSON to its end.
        Err(error) if error.classify() == Category::Data && is_json(bytes) => {
            // serde names the field in its message; the values that people sent are not repeated further than that.
            let (rule, pointer) = (error.to_string(), pointer_of(&error.to_string()));
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", rule.clone())
                .at(pointer, rule))
        }
        Err(error) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-json",
            format!("the body is not JSON: {error}"),
        )),
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// The field that serde's message names, for example in "unknown field `x`, expected …".
fn pointer_of(message: &str) -> String {
    let named = ["unknown field `", "missing field `", "duplicate field `"];
    let field =
        named.iter().find_map(|prefix| message.split_once(prefix)?.1.split_once('`')).map(|(field, _)| field);
    field.map(|field| format!("/{}", field.replace('~', "~0").replace('/', "~1"))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_bodies_are_refused_and_brackets_in_text_are_not_depth() {
        assert!(check_depth("[".repeat(33).as_bytes()).is_err());
        assert!(check_depth("[".repeat(32).as_bytes()).is_ok());
        assert!(check_depth(format!("{{\"a\": \"{}\"}}", "[".repeat(99)).as_bytes()).is_ok());
        assert!(check_depth(format!("{{\"a\": \"\\\"{}\"}}", "[".repeat(99)).as_bytes()).is_ok());
    }

    fn never() -> Request {
        let never = futures::stream::pending::<Result<Bytes, std::convert::Infallible>>();
        Request::new(axum::body::Body::from_stream(never))
    }

    #[tokio::test]
    async fn a_body_that_does_not_arrive_is_not_waited_for_and_gives_its_place_back() {
        let places = Semaphore::new(1);
        let problem = read(never(), 10, &places, Duration::from_millis(1)).await.unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (408, "body-too-slow"));
        assert_eq!(places.available_permits(), 1);
    }

    #[tokio::test]
    async fn one_body_too_many_at_once_is_told_to_come_again() {
        let places = Semaphore::new(1);
        let mut slow = Box::pin(read(never(), 10, &places, READ_MAX));
        assert!(futures::poll!(&mut slow).is_pending());
        let small = || Request::new(axum::body::Body::from("{}"));
        let problem = read(small(), 10, &places, READ_MAX).await.unwrap_err();
        assert_eq!((problem.status, problem.code.as_str()), (503, "overloaded"));
        let answer = axum::response::IntoResponse::into_response(problem);
        assert_eq!(answer.headers()["retry-after"], "1");
        drop(slow);
        assert_eq!(read(small(), 10, &places, READ_MAX).await.unwrap(), "{}");
    }

    #[tokio::test]
    async fn what_is_refused_is_taken_to_its_end_unless_that_is_far() {
        let sent = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let endless = || {
            let sent = std::sync::Arc::clone(&sent);
            futures::stream::repeat_with(move || {
                sent.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b' '; 1024]))
            })
        };
        let taken = async |body: Body| {
            sent.store(0, std::sync::atomic::Ordering::Relaxed);
            let problem = body_bytes(Request::new(body), 1024).await.unwrap_err();
            assert_eq!((problem.status, problem.code.as_str()), (413, "body-too-large"));
            sent.load(std::sync::atomic::Ordering::Relaxed)
        };
        let ten_mebibytes = futures::StreamExt::take(endless(), 10 * 1024);
        assert_eq!(taken(Body::from_stream(ten_mebibytes)).await, 10 * 1024);
        assert!(taken(Body::from_stream(endless())).await < 17 * 1024);
    }

    #[tokio::test]
    async fn the_limit_is_that_of_the_call() {
        let body = || Request::new(axum::body::Body::from("12345"));
        assert_eq!(body_bytes(body(), 4).await.unwrap_err().status, 413);
        assert_eq!(body_bytes(body(), 5).await.unwrap(), "12345");
    }

    #[test]
    fn the_field_that_serde_names_is_pointed_at() {
        assert_eq!(pointer_of("unknown field `colour`, expected `a` at line 1 column 3"), "/colour");
        assert_eq!(pointer_of("missing field `sku` at line 1 column 3"), "/sku");
        assert_eq!(pointer_of("invalid type"), "");
    }
}
