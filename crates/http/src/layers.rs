//! What every call goes through, and what every API has besides its own calls.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Method, StatusCode, Version};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use utoipa::openapi::OpenApi;

use crate::correlation::TRACE_ID;
use crate::{BODY_BYTES_MAX, Correlation, Problem};

/// Whether a role can serve.
pub type Ready =
    Arc<dyn Fn() -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// What is asked of an API from outside.
#[derive(Clone)]
pub struct Probes {
    /// Whether it can serve; the reason when it cannot.
    pub ready: Ready,
    /// Its metrics.
    pub metrics: Option<PrometheusHandle>,
}

impl std::fmt::Debug for Probes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Probes")
    }
}

/// An API with all that goes around it: probes, its OpenAPI document and docs, problem documents for whatever has no handler,
/// tracing, limits, and a catch for panics.
pub fn surface(api: Router, document: OpenApi, probes: Probes) -> Router {
    let ready = probes.ready.clone();
    let metrics = probes.metrics.clone();
    let docs: Router = utoipa_swagger_ui::SwaggerUi::new("/docs").url("/openapi.json", document).into();
    api.route("/healthz", get(|| async { Json(serde_json::json!({"status": "ok"})) }))
        .route("/readyz", get(move || is_ready(ready.clone())))
        .route(
            "/metrics",
            get(move || async move { metrics.map(|metrics| metrics.render()).unwrap_or_default() }),
        )
        .merge(docs)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "not-found", "there is no such call") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "this call has another method")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            tracing::error!("a handler has panicked; this is a defect");
            Problem::internal().into_response()
        }))
        .layer(from_fn(trace))
}

async fn is_ready(ready: Ready) -> Response {
    match ready().await {
        Ok(()) => Json(serde_json::json!({"status": "ready"})).into_response(),
        Err(reason) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", reason).retry_after(1).into_response()
        }
    }
}

/// Gives every request its correlation and its span, and says how it ended. Neither headers nor bodies nor the query string are
/// logged: they may hold tokens and personal data.
async fn trace(mut request: Request, next: Next) -> Response {
    let correlation = Correlation::of(request.headers());
    let trace_id = correlation.trace_id().to_owned();
    let route = request.extensions().get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    let method = known(request.method());
    let span = tracing::info_span!("request", method, route, trace_id, correlation_id = %correlation.id);
    let id = correlation.id;
    let one_call_at_a_time = request.version() < Version::HTTP_2;
    request.extensions_mut().insert(correlation);
    let begun = std::time::Instant::now();
    let mut response = TRACE_ID.scope(trace_id.clone(), next.run(request)).instrument(span.clone()).await;
    let took = begun.elapsed();
    let status = response.status().as_u16();
    metrics::histogram!("http_request_seconds", "method" => method, "route" => route, "status" => status.to_string())
        .record(took.as_secs_f64());
    span.in_scope(|| log(status, took));
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    if let Ok(value) = HeaderValue::from_str(&trace_id) {
        response.headers_mut().insert("trace-id", value);
    }
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    let unread = matches!(response.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT);
    if unread && one_call_at_a_time {
        // The rest of the body is not read, so this connection ends here. A client that is not told may send its next call on it.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The method as a label. A client may send any word as one, and each would be another row of metrics.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn log(status: u16, took: Duration) {
    let took_ms = took.as_secs_f64() * 1000.0;
    if status >= 500 {
        tracing::warn!(status, took_ms, "answered with {status}");
    } else {
        tracing::debug!(status, took_ms, "answered with {status}");
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn a_method_of_the_clients_own_is_no_label_of_its_own() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let api = Router::new().route("/here", get(|| async {})).layer(from_fn(trace));
                for method in ["GET", "BREW", "BREW-1", "get"] {
                    let request =
                        Request::builder().method(method).uri("/here").body(axum::body::Body::empty());
                    api.clone().oneshot(request.unwrap()).await.unwrap();
                }
            });
        });
        let metrics = handle.render();
        assert!(metrics.contains("method=\"GET\"") && metrics.contains("method=\"other\""), "{metrics}");
        assert!(!metrics.contains("BREW") && !metrics.contains("method=\"get\""), "{metrics}");
    }
}
