//! A shop whose products are in OpenSearch, under names of its own, taken away at the end.

use std::sync::Arc;
use std::time::Duration;

use domain::text::Locale;
use domain::{Event, StreamId};
use futures::future::BoxFuture;
use projections::products::query::{Finder, Found, Search, Sort, Suggestion, Unanswered};
use projections::products::testing::{Rows, Stage};
use search::OpenSearch;
use serde_json::Value;
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::node;

/// Nothing here takes as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Rows and their documents.
pub(crate) struct Given {
    pub(crate) rows: Rows,
    pub(crate) opensearch: Arc<OpenSearch>,
    pub(crate) prefix: String,
    running: Option<Running>,
}

struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Given {
    /// The rows after these events; nobody has indexed them yet.
    pub(crate) async fn rows(events: impl IntoIterator<Item = (StreamId, Event)>) -> Self {
        Self::rows_behind(node::url(), events).await
    }

    /// The same, with OpenSearch at another address: somebody's who stands in front of it.
    pub(crate) async fn rows_behind(url: &str, events: impl IntoIterator<Item = (StreamId, Event)>) -> Self {
        let prefix = format!("test-{}", Uuid::now_v7().simple());
        let opensearch = OpenSearch::new(&url.into(), None, &prefix).unwrap();
        // These tests ask for what is right and not for how fast; the machine may be busy.
        let opensearch = Arc::new(opensearch.waiting(PATIENCE));
        Self { rows: Rows::of(events).await, opensearch, prefix, running: None }
    }

    /// An indexer runs, and everything that is queued is written.
    pub(crate) async fn indexed(mut self) -> Self {
        self.start();
        self.written().await;
        self
    }

    /// An indexer runs from here on.
    pub(crate) fn start(&mut self) {
        let shutdown = CancellationToken::new();
        let indexing = search::run(self.pool().clone(), self.opensearch.clone(), shutdown.clone());
        let task = tokio::spawn(async move { indexing.await.unwrap() });
        self.running = Some(Running { shutdown, task });
    }

    /// The indexer is gone, wherever it was.
    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.cancel();
        running.task.await.unwrap();
    }

    /// This happens too.
    pub(crate) async fn sees(&mut self, events: impl IntoIterator<Item = (StreamId, Event)>) {
        self.rows.sees(events).await;
    }

    /// Waits until nothing is queued but what is parked.
    pub(crate) async fn written(&self) {
        self.until("SELECT EXISTS (SELECT FROM search_progress) AND NOT EXISTS (SELECT FROM search_queue WHERE error IS NULL)")
            .await;
    }

    /// Waits until this is so in the database.
    pub(crate) async fn until(&self, condition: &'static str) {
        let begun = Instant::now();
        while !sqlx::query_scalar::<_, bool>(condition).fetch_one(self.pool()).await.unwrap() {
            assert!(begun.elapsed() < PATIENCE, "never: {condition}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        self.rows.pool()
    }

    /// Does something to the node itself.
    pub(crate) async fn ask(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method, format!("{}{path}", node::url()));
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The document of a product, with what OpenSearch keeps beside it.
    pub(crate) async fn document(&self, number: u128) -> Value {
        let path = format!("/{}-products/_doc/{}", self.prefix, Uuid::from_u128(number));
        self.ask(reqwest::Method::GET, &path, None).await
    }
}

impl Stage for Given {
    async fn open(events: impl IntoIterator<Item = (StreamId, Event)>) -> Self {
        Self::rows(events).await.indexed().await
    }

    fn finder(&self) -> &dyn Finder {
        self
    }
}

/// As the query API asks: the rows answer what OpenSearch cannot, which is only how names of other languages are sorted.
impl Finder for Given {
    fn search<'a>(&'a self, search: &'a Search) -> BoxFuture<'a, Result<Found, Unanswered>> {
        let others = search.sort == Some(Sort::Name) && search.locale.as_str() == "fr";
        Box::pin(async move {
            match self.opensearch.search(search).await {
                Err(Unanswered::Beyond(_)) if others => self.pool().search(search).await,
                answered => answered,
            }
        })
    }

    fn suggest<'a>(
        &'a self,
        q: &'a str,
        locale: &'a Locale,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Suggestion>, Unanswered>> {
        self.opensearch.suggest(q, locale, limit)
    }
}

impl Drop for Given {
    /// By a thread of its own: the test's runtime is about to end.
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
        let (url, prefix) = (node::url(), self.prefix.clone());
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                for path in [format!("{prefix}-products-*"), format!("_index_template/{prefix}-products")] {
                    let _ = client.delete(format!("{url}/{path}")).send().await;
                }
            });
        });
        let _ = deleted.join();
    }
}
