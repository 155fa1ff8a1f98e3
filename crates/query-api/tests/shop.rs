//! A whole read side: log, engine, projector, query API.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Request, StatusCode};
use command_api::engine::{Engine, Options, Receipt, Submission};
use domain::ids::{CartId, CustomerId};
use domain::{Actor, Command};
use event_store::testing::TestDatabase;
use event_store::{CommandKey, EventStore, Metadata};
use futures::StreamExt;
use http_surface::ConsistencyToken;
use http_surface::auth::{Claims, Keys, Role};
use projections::products::query::Finder;
use query_api::{App, Config, Replicas};
use serde_json::Value;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

/// Nothing here takes as long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Shop {
    pub(crate) store: EventStore,
    pub(crate) read: PgPool,
    pub(crate) engine: Engine,
    pub(crate) keys: Keys,
    pub(crate) api: Router,
    /// The OpenAPI document.
    pub(crate) document: Value,
    pub(crate) shutdown: CancellationToken,
    /// Dropped last: with it the database is gone.
    _database: TestDatabase,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(Config { consistency_wait: DEADLINE, ..Config::default() }).await
    }

    pub(crate) async fn open_with(config: Config) -> Self {
        Self::open_with_finder(config, None).await
    }

    /// With a search engine in front.
    pub(crate) async fn open_with_finder(config: Config, finder: Option<Arc<dyn Finder>>) -> Self {
        Self::open_over(TestDatabase::create().await, Replicas::from, config, finder).await
    }

    /// With a database of its own choice, and replicas of it.
    pub(crate) async fn open_over(
        database: TestDatabase,
        replicas: impl FnOnce(PgPool) -> Replicas,
        config: Config,
        finder: Option<Arc<dyn Finder>>,
    ) -> Self {
        projections::migrate(&database.pool).await.unwrap();
        let read = projections::connect(database.url.parse().unwrap(), 8).await.unwrap();
        let store = database.store().await;
        let shutdown = config.shutdown.clone();
        let engine = Engine::start(store.clone(), Options::default(), shutdown.clone()).0;
        tokio::spawn(projections::run(
            read.clone(),
            store.clone(),
            projections::Follow::Log,
            None,
            shutdown.clone(),
        ));
        let keys = Keys::new(&[7; 32]).unwrap();
        let mut app = App::new(replicas(read.clone()), store.clone(), keys.clone(), config);
        if let Some(finder) = finder {
            app = app.with_finder(finder);
        }
        let (api, document) = query_api::api(app);
        let document = serde_json::to_value(document).unwrap();
        Self { store, read, engine, keys, api, document, shutdown, _database: database }
    }

    /// A command of the staff.
    pub(crate) async fn ask(&self, command: Command) -> Receipt {
        self.ask_as(Actor::Staff(Uuid::from_u128(1)), command).await
    }

    pub(crate) async fn ask_as(&self, actor: Actor, command: Command) -> Receipt {
        let submission = Submission {
            key: CommandKey { scope: 1, id: Uuid::now_v7() },
            fingerprint: [7; 32],
            metadata: Metadata {
                correlation_id: Uuid::now_v7(),
                causation_id: None,
                actor,
                traceparent: None,
            },
            command,
            answer: Value::Null,
            if_match: None,
        };
        self.engine.execute(submission).await.unwrap()
    }

    /// The token of everything that has happened.
    pub(crate) async fn now(&self) -> String {
        ConsistencyToken::encode(self.store.head().await.unwrap())
    }

    pub(crate) fn token(&self, sub: Uuid, roles: &[Role]) -> String {
        self.token_for(sub, roles, Duration::from_secs(600))
    }

    pub(crate) fn token_for(&self, sub: Uuid, roles: &[Role], valid: Duration) -> String {
        self.keys.issue(&Claims::new(sub, roles.to_vec(), None, valid)).unwrap()
    }

    pub(crate) fn guest(&self, cart_id: CartId) -> String {
        self.token(cart_id.0, &[Role::Guest])
    }

    pub(crate) fn customer_token(&self, customer_id: CustomerId) -> String {
        self.token(customer_id.0, &[Role::Customer])
    }

    /// A token of somebody who works here.
    pub(crate) fn role(&self, role: Role) -> String {
        self.token(Uuid::from_u128(1), &[role])
    }

    /// Asks, after everything that has happened.
    pub(crate) async fn get(&self, path: &str, bearer: Option<&str>) -> Answer {
        let now = self.now().await;
        self.get_with(path, bearer, &[("consistency-token", &now)]).await
    }

    /// Asks, with these headers.
    pub(crate) async fn get_with(
        &self,
        path: &str,
        bearer: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (status, headers, body) = self.begin(path, bearer, headers).await;
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status, headers, body }
    }

    pub(crate) async fn begin(
        &self,
        path: &str,
        bearer: Option<&str>,
        headers: &[(&str, &str)],
    ) -> (StatusCode, HeaderMap, Body) {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.api.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        (parts.status, parts.headers, body)
    }

    /// Asks for server-sent events, after everything that has happened.
    pub(crate) async fn follow(&self, path: &str, bearer: Option<&str>, headers: &[(&str, &str)]) -> Sent {
        let now = self.now().await;
        let mut headers = headers.to_vec();
        headers.push(("consistency-token", &now));
        headers.push(("accept", "text/event-stream"));
        headers.push(("accept-encoding", "gzip"));
        let (status, headers, body) = self.begin(path, bearer, &headers).await;
        assert_eq!(status, 200);
        assert_eq!(headers["content-type"], "text/event-stream");
        assert!(!headers.contains_key("content-encoding"), "a compressed stream waits for more to compress");
        Sent { body: body.into_data_stream(), text: String::new() }
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// NDJSON.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// The code of a problem document.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

/// Server-sent events, as they come.
pub(crate) struct Sent {
    body: BodyDataStream,
    text: String,
}

impl Sent {
    /// The next event's id and data. `None`: it has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    block.lines().find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
                };
                let event = field("data:")
                    .map(|data| (field("id:").unwrap_or_default(), serde_json::from_str(&data).unwrap()));
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let more = tokio::time::timeout(DEADLINE, self.body.next()).await.expect("nothing came");
            self.text.push_str(std::str::from_utf8(&more?.unwrap()).unwrap());
        }
    }
}
