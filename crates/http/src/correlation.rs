//! What belongs together: a correlation id for everything that follows from one request, and the W3C trace context.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tracing::Instrument;
use uuid::Uuid;

use crate::Problem;

tokio::task_local! {
    /// The trace id of the request that this task serves.
    pub(crate) static TRACE_ID: String;
}

/// The trace id of the request that is being served.
pub(crate) fn current_trace_id() -> Option<String> {
    TRACE_ID.try_with(Clone::clone).ok()
}

/// Does something to its end, also when the client goes away in the middle: in a task of its own, which still belongs to the
/// request's trace.
pub async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let span = tracing::Span::current();
    let task = match current_trace_id() {
        Some(trace_id) => tokio::spawn(TRACE_ID.scope(trace_id, work).instrument(span)),
        None => tokio::spawn(work.instrument(span)),
    };
    task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a task has not come to its end");
        Err(Problem::internal())
    })
}

/// What belongs together with a request.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// All that follows from it has the same one.
    pub id: Uuid,
    /// The trace context, as it came or as it begins here.
    pub traceparent: String,
}

impl Correlation {
    /// Takes up a valid `traceparent`, or begins one (www.w3.org/TR/trace-context, 3.2).
    pub(crate) fn of(headers: &axum::http::HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let id = text("x-request-id").and_then(|text| text.parse().ok()).unwrap_or_else(Uuid::now_v7);
        let begun =
            || format!("00-{}-{}-01", Uuid::now_v7().simple(), &Uuid::new_v4().simple().to_string()[..16]);
        let traceparent =
            text("traceparent").filter(|text| is_traceparent(text)).map_or_else(begun, str::to_owned);
        Self { id, traceparent }
    }

    /// The trace's own id.
    pub fn trace_id(&self) -> &str {
        self.traceparent.get(3..35).unwrap_or_default()
    }
}

fn is_traceparent(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let hex = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let some = |part: &str| part.bytes().any(|b| b != b'0');
    matches!(parts[..], [version, trace, parent, flags]
        if version == "00" && hex(trace, 32) && some(trace) && hex(parent, 16) && some(parent) && hex(flags, 2))
}

impl<S: Send + Sync> FromRequestParts<S> for Correlation {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::of(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_of_a_task_of_its_own_names_the_trace() {
        let work = || to_the_end(async { Err::<(), _>(Problem::not_found("thing")) });
        let problem = TRACE_ID.scope("a trace".to_owned(), work()).await.unwrap_err();
        assert_eq!(problem.trace_id.as_deref(), Some("a trace"));
        assert_eq!(work().await.unwrap_err().trace_id, None);
        assert_eq!(to_the_end::<()>(async { panic!("a defect") }).await.unwrap_err().status, 500);
    }

    #[test]
    fn only_valid_trace_contexts_are_taken_up() {
        assert!(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for text in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(!is_traceparent(text), "{text}");
        }
    }
}
