//! What changes what is shown is queued for the search engine, when one is fed.

use domain::product::{Published, Unpublished};
use sqlx::PgPool;

use crate::orders::given::given;
use crate::products::testing::examples::*;
use crate::products::{Products, queue_all};

async fn fed(pool: &PgPool) {
    sqlx::query("INSERT INTO search_progress (version) VALUES (0)").execute(pool).await.unwrap();
}

/// What is queued, in the order it changed; and the queue is empty again.
async fn taken(pool: &PgPool) -> Vec<u128> {
    let sql =
        "WITH taken AS (DELETE FROM search_queue RETURNING *) SELECT product_id FROM taken ORDER BY revision";
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
    ids.into_iter().map(|id| id.as_u128()).collect()
}

#[tokio::test]
async fn every_change_of_what_is_shown_is_queued_once() {
    let given = given(Products, catalogue()).await;
    assert_eq!(taken(&given.pool).await, [0; 0], "nobody is fed");
    fed(&given.pool).await;
    let given = given.when([happened(SHOES, Unpublished {}), happened(SHOES, Published {})]).await;
    assert_eq!(taken(&given.pool).await, [SHOES]);
    let given = given.when([stocked(SOCKS, received(1)), bought(90, [BALL])]).await;
    assert_eq!(taken(&given.pool).await, [SOCKS, BALL]);
    let given = given.and_again().await;
    assert_eq!(taken(&given.pool).await, [0; 0], "the same events twice change nothing");
    queue_all(&mut given.pool.acquire().await.unwrap()).await.unwrap();
    assert_eq!(taken(&given.pool).await, [SHOES, SHIRT, SOCKS, BALL]);
}

#[tokio::test]
async fn a_product_that_changes_again_goes_to_the_end_and_is_no_longer_parked() {
    let given = given(Products, catalogue()).await;
    fed(&given.pool).await;
    let given = given.when([stocked(SOCKS, received(1))]).await;
    let given = given.when([stocked(BALL, received(1))]).await;
    let park = "UPDATE search_queue SET error = 'no', parked_at = now()";
    sqlx::query(park).execute(&given.pool).await.unwrap();
    let given = given.when([stocked(SOCKS, received(1))]).await;
    let waiting = "SELECT product_id FROM search_queue WHERE error IS NULL";
    let waiting: Vec<uuid::Uuid> = sqlx::query_scalar(waiting).fetch_all(&given.pool).await.unwrap();
    assert_eq!(waiting, [id(SOCKS).0]);
    assert_eq!(taken(&given.pool).await, [BALL, SOCKS]);
}

#[tokio::test]
async fn a_copy_that_is_folded_elsewhere_is_not_queued() {
    let given = given(Products, catalogue()).await;
    fed(&given.pool).await;
    let mut connection = given.pool.acquire().await.unwrap();
    for sql in [
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE elsewhere.products (LIKE read.products INCLUDING ALL)",
        "INSERT INTO elsewhere.products SELECT * FROM read.products",
        "SET search_path TO elsewhere, read",
    ] {
        sqlx::query(sql).execute(&mut *connection).await.unwrap();
    }
    queue_all(&mut connection).await.unwrap();
    assert_eq!(taken(&given.pool).await, [0; 0]);
}
