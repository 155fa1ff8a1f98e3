//! Searches with a search engine in front: who answers, and what is said of it. OpenSearch itself is tested where it is; here a
//! finder stands in its place that fails as it is told to, over the same rows.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use domain::text::Locale;
use futures::future::BoxFuture;
use http_surface::ConsistencyToken;
use projections::products::query::{Finder, Found, Search, Suggestion, Unanswered};
use query_api::Config;
use sqlx::PgPool;

use crate::shop::{Answer, DEADLINE, Shop};

/// Answers from the rows, when it does, and counts.
#[derive(Default)]
struct Engine {
    rows: OnceLock<PgPool>,
    away: AtomicBool,
    asked: AtomicU32,
}

impl Engine {
    fn there(&self) -> Result<&PgPool, Unanswered> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let rows = self.rows.get().filter(|_| !self.away.load(Ordering::SeqCst));
        rows.ok_or_else(|| Unanswered::Away("it is told to".to_owned()))
    }
}

impl Finder for Engine {
    fn search<'a>(&'a self, search: &'a Search) -> BoxFuture<'a, Result<Found, Unanswered>> {
        Box::pin(async move { self.there()?.search(search).await })
    }

    fn suggest<'a>(
        &'a self,
        q: &'a str,
        locale: &'a Locale,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Suggestion>, Unanswered>> {
        Box::pin(async move { self.there()?.suggest(q, locale, limit).await })
    }
}

const PATHS: [&str; 2] = ["/v1/products?q=running", "/v1/search/suggest?q=run"];

async fn open() -> (Shop, Arc<Engine>) {
    let engine = Arc::new(Engine::default());
    let config = Config { consistency_wait: DEADLINE, ..Config::default() };
    let shop = Shop::open_with_finder(config, Some(engine.clone())).await;
    engine.rows.set(shop.read.clone()).unwrap();
    shop.product(5).await;
    (shop, engine)
}

/// The engine has come as far as the log.
async fn engine_reaches_head(shop: &Shop) {
    let head = shop.store.head().await.unwrap();
    let deadline = tokio::time::Instant::now() + DEADLINE;
    assert!(projections::reached(&shop.read, "products", head.position, deadline).await.unwrap());
    sqlx::query(
        "INSERT INTO read.search_progress (version, epoch, position) VALUES (1, $1, $2) \
         ON CONFLICT (single) DO UPDATE SET epoch = excluded.epoch, position = excluded.position",
    )
    .bind(head.epoch)
    .bind(i64::from(head.position))
    .execute(&shop.read)
    .await
    .unwrap();
}

fn fell_back(answer: &Answer) -> bool {
    answer.headers.get("search-fallback").is_some_and(|value| value == "postgresql")
}

#[tokio::test]
async fn the_engine_answers_and_the_rows_when_it_is_away() {
    let (shop, engine) = open().await;
    engine_reaches_head(&shop).await;
    for path in PATHS {
        let answered = shop.get(path, None).await.expect(200);
        assert!(!fell_back(&answered));
        engine.away.store(true, Ordering::SeqCst);
        let fallen = shop.get(path, None).await.expect(200);
        assert!(fell_back(&fallen), "{path}");
        assert_eq!(fallen.json(), answered.json());
        engine.away.store(false, Ordering::SeqCst);
        assert!(!fell_back(&shop.get(path, None).await.expect(200)), "it is asked again");
    }
}

#[tokio::test]
async fn an_engine_that_is_not_as_far_as_the_token_is_not_asked() {
    let (shop, engine) = open().await;
    for path in PATHS {
        assert!(fell_back(&shop.get_with(path, None, &[]).await.expect(200)), "it is being filled");
    }
    engine_reaches_head(&shop).await;
    let receipt = {
        let sku = shop.product(5).await;
        shop.order(&sku, 1).await;
        ConsistencyToken::encode(shop.store.head().await.unwrap())
    };
    let asked = engine.asked.load(Ordering::SeqCst);
    for path in PATHS {
        let token = [("consistency-token", receipt.as_str())];
        assert!(fell_back(&shop.get_with(path, None, &token).await.expect(200)));
    }
    assert_eq!(engine.asked.load(Ordering::SeqCst), asked);
    for path in PATHS {
        assert!(!fell_back(&shop.get_with(path, None, &[]).await.expect(200)), "without the token it is");
    }
}

#[tokio::test]
async fn without_an_engine_nothing_is_said() {
    let shop = Shop::open().await;
    for path in PATHS {
        assert!(!fell_back(&shop.get(path, None).await.expect(200)));
    }
    assert!(shop.document.to_string().contains("Search-Fallback"));
}
