//! What is queued is written, in one order, whoever writes it.

use std::time::Duration;

use domain::product::{Published, Unpublished};
use projections::products::query::Finder;
use projections::products::search_reached;
use projections::products::testing::examples::*;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::given::{Given, PATIENCE};

#[tokio::test]
async fn a_change_is_found_and_what_is_withdrawn_is_not() {
    let mut given = Given::rows(catalogue()).await.indexed().await;
    assert_eq!(sorted(given.opensearch.as_ref(), "운동화").await, [SHOES]);
    given.sees([happened(SHOES, Unpublished {}), stocked(BALL, received(5))]).await;
    given.written().await;
    assert_eq!(sorted(given.opensearch.as_ref(), "운동화").await, [0; 0]);
    assert_eq!(given.document(SHOES).await["_source"]["published"], json!(false), "it is there all the same");
    assert_eq!(given.document(BALL).await["_source"]["available"], json!(15));
    given.sees([happened(SHOES, Published {})]).await;
    given.written().await;
    assert_eq!(sorted(given.opensearch.as_ref(), "운동화").await, [SHOES]);
}

#[tokio::test]
async fn an_older_document_is_never_written_over_a_newer_one() {
    let mut given = Given::rows(catalogue()).await.indexed().await;
    let older = given.document(SHOES).await;
    given.sees([stocked(SHOES, received(1))]).await;
    given.written().await;
    // An indexer that was frozen with the old document in its hands wakes up.
    let path = format!(
        "/{}-products/_doc/{}?version={}&version_type=external",
        given.prefix,
        Uuid::from_u128(SHOES),
        older["_version"]
    );
    let refused = given.ask(Method::PUT, &path, Some(older["_source"].clone())).await;
    assert_eq!(refused["status"], json!(409));
    assert_eq!(given.document(SHOES).await["_source"]["available"], json!(11));
}

#[tokio::test]
async fn broken_off_anywhere_it_goes_on_where_it_was() {
    let mut given = Given::rows(catalogue()).await;
    for round in 0..20_u64 {
        given.start();
        given.sees([stocked(SOCKS, received(1)), stocked(BALL, received(1))]).await;
        tokio::time::sleep(Duration::from_millis(round * 7)).await;
        given.stop().await;
    }
    let given = given.indexed().await;
    for (number, available) in [(SOCKS, 30), (BALL, 30), (SHOES, 10), (SHIRT, 0)] {
        assert_eq!(given.document(number).await["_source"]["available"], json!(available), "{number}");
    }
    assert!(search::audit(given.pool(), &given.opensearch, false).await.unwrap().is_clean());
}

#[tokio::test]
async fn two_indexers_take_turns_and_the_other_goes_on_when_one_is_gone() {
    let mut given = Given::rows(catalogue()).await.indexed().await;
    let shutdown = CancellationToken::new();
    let other = tokio::spawn(search::run(given.pool().clone(), given.opensearch.clone(), shutdown.clone()));
    given.stop().await;
    given.sees([stocked(SOCKS, received(7))]).await;
    given.written().await;
    assert_eq!(given.document(SOCKS).await["_source"]["available"], json!(17));
    shutdown.cancel();
    other.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_document_that_is_refused_is_parked_and_the_others_flow() {
    let mut given = Given::rows(catalogue()).await;
    // A number that OpenSearch's own cannot hold is nothing a row can have either: the mapping is made narrower instead.
    given.start();
    given.written().await;
    given.stop().await;
    let index = format!("/{}-products-1", given.prefix);
    given.ask(Method::DELETE, &index, None).await;
    let narrow = json!({"aliases": {(format!("{}-products", given.prefix)): {}},
        "mappings": {"properties": {"prices": {"dynamic": "strict", "properties": {"KRW": {"type": "long"}}}}}});
    let made = given.ask(Method::PUT, &index, Some(narrow)).await;
    assert_eq!(made["acknowledged"], json!(true), "{made}");
    sqlx::query("SELECT read.queue_for_search(array(SELECT product_id FROM products))")
        .execute(given.pool())
        .await
        .unwrap();
    let given = given.indexed().await;
    let parked = search::parked(given.pool()).await.unwrap();
    let [ball] = parked.as_slice() else { panic!("{parked:?}") };
    assert_eq!(ball.product_id, id(BALL).0);
    assert!(ball.error.contains("USD"), "{}", ball.error);
    assert_eq!(given.document(SHOES).await["found"], json!(true));
    given
        .ask(
            Method::PUT,
            &format!("{index}/_mapping"),
            Some(json!({"properties": {"prices": {"properties": {"USD": {"type": "long"}}}}})),
        )
        .await;
    assert_eq!(search::retry(given.pool(), None).await.unwrap(), 1);
    given.written().await;
    assert_eq!(given.document(BALL).await["found"], json!(true));
    assert_eq!(search::parked(given.pool()).await.unwrap(), []);
}

#[tokio::test]
async fn it_says_how_far_it_is_only_when_everything_up_to_there_is_found() {
    let mut given = Given::rows(catalogue()).await;
    let epoch = Uuid::now_v7();
    let place = async |given: &Given, position: i64| {
        sqlx::query(
            "INSERT INTO progress (model, lane, version, epoch, position) VALUES ('products', 'log', 1, $1, $2) \
             ON CONFLICT (model, lane) DO UPDATE SET position = excluded.position",
        )
        .bind(epoch)
        .bind(position)
        .execute(given.pool())
        .await
        .unwrap();
    };
    place(&given, 12).await;
    assert_eq!(search_reached(given.pool()).await.unwrap(), None);
    given.start();
    given.until("SELECT EXISTS (SELECT FROM search_progress WHERE position = 12)").await;
    assert_eq!(sorted(given.opensearch.as_ref(), "운동화").await, [SHOES]);
    for position in 13..23 {
        // As a projector does: rows, queue and place in one transaction would be stricter still.
        given.sees([stocked(SOCKS, received(1))]).await;
        place(&given, position).await;
        let reached = async || search_reached(given.pool()).await.unwrap().unwrap().1.0 as i64;
        let begun = std::time::Instant::now();
        while reached().await < position {
            assert!(begun.elapsed() < PATIENCE);
        }
        let found = given.opensearch.search(&everything()).await.unwrap();
        let socks = found.hits.iter().find(|hit| hit.product_id == id(SOCKS)).unwrap();
        assert_eq!(socks.available, 10 + position - 12);
    }
}

#[tokio::test]
async fn when_the_index_is_lost_all_is_written_anew_and_it_is_not_asked_meanwhile() {
    let mut given = Given::rows(catalogue()).await.indexed().await;
    given.stop().await;
    given.ask(Method::DELETE, &format!("/{}-products-1", given.prefix), None).await;
    given.start();
    given.until("SELECT version > 1 FROM search_progress").await;
    given.written().await;
    assert_eq!(sorted(given.opensearch.as_ref(), "nike").await, [SHOES, SHIRT]);
}

#[tokio::test]
async fn documents_that_are_ahead_of_a_restored_database_are_written_over() {
    let mut given = Given::rows(catalogue()).await.indexed().await;
    given.stop().await;
    sqlx::query("UPDATE search_progress SET version = 0").execute(given.pool()).await.unwrap();
    given.sees([stocked(SOCKS, received(1))]).await;
    let given = given.indexed().await;
    assert_eq!(given.document(SOCKS).await["_source"]["available"], json!(11));
    let version = given.document(SHOES).await["_version"].as_i64().unwrap();
    assert!(version > 1, "{version}");
}

#[tokio::test]
async fn a_mapping_has_no_other_fields_and_the_analysis_that_the_cluster_offers() {
    let given = Given::rows(catalogue()).await.indexed().await;
    let index = format!("{}-products-1", given.prefix);
    let shape: Value = given.ask(Method::GET, &format!("/{index}"), None).await;
    let mappings = &shape[&index]["mappings"];
    assert_eq!(mappings["dynamic"], json!("strict"));
    assert_eq!(mappings["_meta"], json!({"form": 1, "nori": true, "kuromoji": true}));
    let korean = &shape[&index]["settings"]["index"]["analysis"]["tokenizer"]["korean"]["type"];
    assert_eq!(korean, &json!("nori_tokenizer"));
}
