//! What belongs together: a correlation id for everything that follows from one request, and the W3C trace context.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use uuid::Uuid;

tokio::task_local! {
    /// The trace id of the request that this task serves.
    pub(crate) static TRACE_ID: String;
}

/// The trace id of the request that is being served.
pub(crate) fn current_trace_id() -> Option<String> {
    TRACE_ID.try_with(Clone::clone).ok()
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
