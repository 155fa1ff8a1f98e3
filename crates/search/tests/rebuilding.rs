//! Another index takes the place of the old one, and nobody notices.

use projections::products::testing::examples::*;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::given::Given;

#[tokio::test]
async fn a_new_index_takes_the_place_of_the_old_one_while_products_change_and_searches_are_answered() {
    let mut given = Given::rows(catalogue()).await.indexed().await;
    let (pool, opensearch) = (given.pool().clone(), given.opensearch.clone());
    let rebuilding = tokio::spawn(async move {
        let mut rebuilt = Vec::new();
        for _ in 0..3 {
            rebuilt.push(search::rebuild(&pool, &opensearch, |_| ()).await.unwrap());
        }
        rebuilt
    });
    let mut pieces = 10;
    while !rebuilding.is_finished() {
        given.sees([stocked(SHOES, received(1)), stocked(BALL, received(1))]).await;
        pieces += 1;
        assert_eq!(sorted(given.opensearch.as_ref(), "nike").await, [SHOES, SHIRT]);
    }
    let rebuilt = rebuilding.await.unwrap();
    let named = |number: u32| format!("{}-products-{number}", given.prefix);
    assert_eq!(rebuilt[0].index, named(2));
    assert_eq!((rebuilt[2].replaced.clone(), rebuilt[2].index.clone()), (named(3), named(4)));
    assert_eq!(rebuilt[2].documents, 4);
    given.written().await;
    assert_eq!(given.document(SHOES).await["_source"]["available"], json!(pieces));
    let audit = search::audit(given.pool(), &given.opensearch, false).await.unwrap();
    assert!(audit.is_clean(), "{audit:?}");
    let all = given.ask(Method::GET, &format!("/{}-products-*/_alias", given.prefix), None).await;
    let kept: Vec<&String> = all.as_object().unwrap().keys().collect();
    assert_eq!(kept, [&named(3), &named(4)], "the one before is kept, those before it are gone");
}

#[tokio::test]
async fn what_was_broken_off_is_cleared_away_by_the_next() {
    let given = Given::rows(catalogue()).await.indexed().await;
    let (pool, opensearch) = (given.pool().clone(), given.opensearch.clone());
    let broken_off =
        tokio::spawn(async move { search::rebuild(&pool, &opensearch, |_| panic!("broken off")).await })
            .await;
    assert!(broken_off.is_err());
    given.until("SELECT building IS NOT NULL FROM search_progress").await;
    assert_eq!(sorted(given.opensearch.as_ref(), "nike").await, [SHOES, SHIRT]);
    let rebuilt = search::rebuild(given.pool(), &given.opensearch, |_| ()).await.unwrap();
    assert_eq!(rebuilt.replaced, format!("{}-products-1", given.prefix));
    let all = given.ask(Method::GET, &format!("/{}-products-*/_alias", given.prefix), None).await;
    assert_eq!(all.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn two_at_once_are_refused() {
    let given = Given::rows(catalogue()).await.indexed().await;
    // As another process holds it while it rebuilds.
    let mut other = given.pool().acquire().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(7236484)").execute(&mut *other).await.unwrap();
    let refused = search::rebuild(given.pool(), &given.opensearch, |_| ()).await;
    assert!(matches!(refused, Err(search::Error::Taken(_))), "{refused:?}");
    sqlx::query("SELECT pg_advisory_unlock(7236484)").execute(&mut *other).await.unwrap();
    search::rebuild(given.pool(), &given.opensearch, |_| ()).await.unwrap();
}

#[tokio::test]
async fn an_index_of_another_form_is_replaced_by_one_of_this() {
    let given = Given::rows(catalogue()).await.indexed().await;
    let index = format!("/{}-products-1", given.prefix);
    let older = json!({"_meta": {"form": 0}});
    given.ask(Method::PUT, &format!("{index}/_mapping"), Some(older)).await;
    let rebuilt = search::rebuild(given.pool(), &given.opensearch, |_| ()).await.unwrap();
    let shape = given.ask(Method::GET, &format!("/{}/_mapping", rebuilt.index), None).await;
    assert_eq!(shape[&rebuilt.index]["mappings"]["_meta"]["form"], json!(1));
    let document = given.document(SHOES).await;
    assert_eq!(
        (document["_index"].as_str(), document["_id"].clone()),
        (Some(rebuilt.index.as_str()), json!(Uuid::from_u128(SHOES)))
    );
}
