//! OpenSearch is away, or hangs: whoever asks is told so in time, and soon at once.

use std::time::{Duration, Instant};

use projections::products::query::{Finder, Unanswered};
use projections::products::testing::examples::*;
use search::OpenSearch;
use tokio::net::TcpListener;

async fn asked(opensearch: &OpenSearch) -> Duration {
    let begun = Instant::now();
    let answer = opensearch.search(&everything()).await;
    assert!(matches!(answer, Err(Unanswered::Away(_))), "{answer:?}");
    begun.elapsed()
}

#[tokio::test]
async fn who_does_not_answer_is_waited_for_a_second_at_most_and_then_not_asked() {
    // It takes connections and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let opensearch = OpenSearch::new(&url.into(), None, "test").unwrap();
    for _ in 0..3 {
        assert!(asked(&opensearch).await < Duration::from_secs(5));
    }
    assert!(asked(&opensearch).await < Duration::from_millis(400), "it is left alone");
}

#[tokio::test]
async fn nobody_there_is_an_answer_at_once() {
    let opensearch = OpenSearch::new(&"http://127.0.0.1:1".into(), None, "test").unwrap();
    assert!(asked(&opensearch).await < Duration::from_secs(5));
}
