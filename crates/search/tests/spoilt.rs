//! Parts of a bulk call fail, calls are refused, connections are cut: nothing is lost, and nothing ends in a wrong order.

use projections::products::testing::examples::*;
use serde_json::json;

use crate::given::Given;
use crate::proxy::{Proxy, Spoil};

async fn right(given: &Given, available: i64) {
    for number in [SHOES, SOCKS, BALL] {
        assert_eq!(given.document(number).await["_source"]["available"], json!(available), "{number}");
    }
    let audit = search::audit(given.pool(), &given.opensearch, false).await.unwrap();
    assert!(audit.is_clean(), "{audit:?}");
    assert_eq!(search::parked(given.pool()).await.unwrap(), []);
}

fn all_get_one() -> Vec<(domain::StreamId, domain::Event)> {
    [SHOES, SOCKS, BALL].map(|number| stocked(number, received(1))).to_vec()
}

#[tokio::test]
async fn items_that_are_refused_for_a_while_are_sent_again_and_only_those() {
    let proxy = Proxy::open().await;
    let mut given = Given::rows_behind(&proxy.url, catalogue()).await.indexed().await;
    let before = given.document(BALL).await["_version"].as_i64().unwrap();
    proxy.plan([Spoil::Items(vec![0, 1], 429), Spoil::Items(vec![1], 503), Spoil::Items(vec![0], 429)]);
    given.sees(all_get_one()).await;
    given.written().await;
    assert_eq!(proxy.left(), 0);
    right(&given, 11).await;
    let versions = [SHOES, SOCKS, BALL].map(|number| given.document(number));
    for version in futures::future::join_all(versions).await {
        assert_eq!(version["_version"].as_i64().unwrap(), before + 1, "of one batch, whenever it was taken");
    }
}

#[tokio::test]
async fn items_that_are_refused_longer_wait_in_the_queue_and_changes_overtake_them() {
    let proxy = Proxy::open().await;
    let mut given = Given::rows_behind(&proxy.url, catalogue()).await.indexed().await;
    proxy.plan((0..8).map(|_| Spoil::Items(vec![0], 429)));
    given.sees(all_get_one()).await;
    given.sees(all_get_one()).await;
    given.written().await;
    right(&given, 12).await;
}

#[tokio::test]
async fn calls_that_are_refused_or_cut_are_made_again() {
    let proxy = Proxy::open().await;
    let mut given = Given::rows_behind(&proxy.url, catalogue()).await.indexed().await;
    proxy.plan([Spoil::Call(429), Spoil::CutAfter, Spoil::Call(503), Spoil::CutAfter, Spoil::Call(500)]);
    for _ in 0..5 {
        given.sees(all_get_one()).await;
    }
    given.written().await;
    assert_eq!(proxy.left(), 0);
    right(&given, 15).await;
}

#[tokio::test]
async fn an_item_that_is_refused_for_good_is_parked_with_the_reason() {
    let proxy = Proxy::open().await;
    let mut given = Given::rows_behind(&proxy.url, catalogue()).await.indexed().await;
    proxy.plan([Spoil::Items(vec![0], 400)]);
    given.sees(all_get_one()).await;
    given.written().await;
    let parked = search::parked(given.pool()).await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].error, "queue is full");
    let audit = search::audit(given.pool(), &given.opensearch, false).await.unwrap();
    assert_eq!((audit.parked, audit.drifted.len()), (1, 0));
    // Its next change tries it again.
    given.sees(all_get_one()).await;
    given.written().await;
    right(&given, 12).await;
}
