//! Drift is found and mended; what is only under way is no drift.

use projections::products::testing::examples::*;
use reqwest::Method;
use search::Drift;
use serde_json::json;
use uuid::Uuid;

use crate::given::Given;

#[tokio::test]
async fn what_differs_is_named_and_mended() {
    let given = Given::rows(catalogue()).await.indexed().await;
    let clean = search::audit(given.pool(), &given.opensearch, false).await.unwrap();
    assert!(clean.is_clean(), "{clean:?}");
    assert_eq!(clean.compared, 4);
    let document = |number: u128| format!("/{}-products/_doc/{}", given.prefix, Uuid::from_u128(number));
    let mut spoilt = given.document(SHOES).await["_source"].clone();
    spoilt["available"] = json!(99);
    spoilt["brand"] = json!("Ekin");
    given.ask(Method::DELETE, &document(SOCKS), None).await;
    given.ask(Method::PUT, &document(SHOES), Some(spoilt.clone())).await;
    spoilt["product_id"] = json!(Uuid::from_u128(99));
    given.ask(Method::PUT, &format!("{}?refresh=true", document(99)), Some(spoilt)).await;
    let wanted = vec![
        (id(SHOES).0, Drift::Differs(vec!["available".to_owned(), "brand".to_owned()])),
        (id(SOCKS).0, Drift::Missing),
        (id(99).0, Drift::Extra),
    ];
    let found = search::audit(given.pool(), &given.opensearch, false).await.unwrap();
    assert_eq!(found.drifted, wanted);
    let found = search::audit(given.pool(), &given.opensearch, true).await.unwrap();
    assert_eq!(found.drifted, wanted);
    given.written().await;
    let mended = search::audit(given.pool(), &given.opensearch, false).await.unwrap();
    assert!(mended.is_clean(), "{mended:?}");
    assert_eq!(mended.compared, 4);
}

#[tokio::test]
async fn what_changes_all_the_time_is_no_drift() {
    let mut given = Given::rows(catalogue()).await.indexed().await;
    let (pool, opensearch) = (given.pool().clone(), given.opensearch.clone());
    let auditing = tokio::spawn(async move {
        let mut audits = Vec::new();
        for _ in 0..10 {
            audits.push(search::audit(&pool, &opensearch, false).await.unwrap());
        }
        audits
    });
    while !auditing.is_finished() {
        given.sees([stocked(SHOES, received(1)), stocked(BALL, received(1))]).await;
    }
    for audit in auditing.await.unwrap() {
        assert_eq!(audit.drifted, []);
    }
}

#[tokio::test]
async fn what_nobody_writes_waits() {
    let mut given = Given::rows(catalogue()).await.indexed().await;
    given.stop().await;
    given.sees([stocked(SHOES, received(1))]).await;
    let audit = search::audit(given.pool(), &given.opensearch, false).await.unwrap();
    assert_eq!((audit.waiting, audit.drifted), (1, Vec::new()));
}
