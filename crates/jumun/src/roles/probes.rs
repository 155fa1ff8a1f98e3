//! Whether a role can serve: its database answers, and nothing that it needs has ended.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_surface::{Probes, Ready};
use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use utoipa::openapi::{Info, OpenApi, Paths};

/// A database that takes longer is as good as away.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Parts that are down at the moment, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Down(Arc<Mutex<BTreeSet<&'static str>>>);

impl Down {
    /// It is down.
    pub(super) fn add(&self, name: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
    }
    /// It runs.
    pub(super) fn remove(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
    fn names(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// What is asked of an API from outside.
pub(super) fn probes(pool: PgPool, down: Down, metrics: PrometheusHandle) -> Probes {
    let answers = move || {
        let pool = pool.clone();
        async move { sqlx::query("SELECT 1").execute(&pool).await.is_ok() }
    };
    probes_with(answers, down, metrics)
}

/// The same, of one that has its own way to find out whether its databases answer.
pub(super) fn probes_with<F>(
    answers: impl Fn() -> F + Send + Sync + 'static,
    down: Down,
    metrics: PrometheusHandle,
) -> Probes
where
    F: Future<Output = bool> + Send + 'static,
{
    Probes { ready: ready(answers, down), metrics: Some(metrics) }
}

fn ready<F>(answers: impl Fn() -> F + Send + Sync + 'static, down: Down) -> Ready
where
    F: Future<Output = bool> + Send + 'static,
{
    Arc::new(move || {
        let (answers, down) = (answers(), down.clone());
        Box::pin(async move {
            if let Some(name) = down.names().first() {
                return Err(format!("the {name} is down"));
            }
            match tokio::time::timeout(TIMEOUT, answers).await {
                Ok(true) => Ok(()),
                // What a driver says may name hosts and users; whoever asks for readiness need not know them.
                Ok(false) | Err(_) => Err("the database does not answer".to_owned()),
            }
        })
    })
}

/// The OpenAPI document of a role that has no calls but its probes.
pub(super) fn document(role: &str) -> OpenApi {
    OpenApi::new(Info::new(format!("Jumun {role}"), env!("CARGO_PKG_VERSION").to_owned()), Paths::new())
}
