//! Connections that lead nowhere hold up nobody for long.

use std::time::Duration;

use event_store::testing::{Between, TestDatabase};
use event_store::{Patient, is_outage};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

fn four_connections(database: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new().max_connections(4).connect_lazy_with(database.clone())
}

/// A patient pool behind something that can forget its connections.
async fn through_something(database: &TestDatabase) -> (Between, Patient) {
    let options = database.pool.connect_options();
    let between = Between::open(&options).await;
    let pool = four_connections(&between.leading_to(&options));
    (between, Patient::new(pool, Duration::from_secs(3)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_over_a_connection_that_leads_nowhere_is_an_outage_and_the_next_goes_over_another() {
    let database = TestDatabase::create().await;
    let (between, patient) = through_something(&database).await;
    for _ in 0..3 {
        let answer: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&patient).await.unwrap();
        assert_eq!(answer, 1);
        between.forget().await;
        let lost = sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(&patient).await.unwrap_err();
        assert!(is_outage(&lost), "{lost}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_beside_a_connection_that_leads_nowhere_are_made_anew() {
    let database = TestDatabase::create().await;
    let (between, patient) = through_something(&database).await;
    let four = || (0..4).map(|_| sqlx::query("SELECT pg_sleep(0.2)").execute(&patient));
    futures::future::try_join_all(four()).await.unwrap();
    between.forget().await;
    sqlx::query("SELECT 1").execute(&patient).await.unwrap_err();
    futures::future::try_join_all(four()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_given_up_takes_its_connection_with_it() {
    let database = TestDatabase::create().await;
    let options = database.pool.connect_options();
    let patient = Patient::new(four_connections(&options), Duration::from_secs(600));
    for _ in 0..6 {
        let long = sqlx::query("SELECT pg_sleep(600)").execute(&patient);
        tokio::time::timeout(Duration::from_millis(200), long).await.unwrap_err();
        // In ten minutes, if the pool waited for the answer.
        let rows = sqlx::query("SELECT generate_series(1, 3)").fetch_all(&patient).await.unwrap();
        assert_eq!(rows.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_go_over_the_connection_of_the_one_before_and_nothing_is_kept_once_all_are_closed() {
    let database = TestDatabase::create().await;
    let options = database.pool.connect_options();
    let patient = Patient::new(four_connections(&options), Duration::from_secs(60));
    let mut backends = Vec::new();
    for _ in 0..3 {
        backends.push(sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&patient).await.unwrap());
        // A statement that the database refuses leaves the connection as good as before.
        sqlx::query("SELECT 1 / 0").execute(&patient).await.unwrap_err();
    }
    backends.dedup();
    let [backend]: [i32; 1] = backends.try_into().unwrap();
    sqlx::query("SELECT pg_terminate_backend($1)").bind(backend).execute(&database.pool).await.unwrap();
    if let Err(lost) = sqlx::query("SELECT 1").execute(&patient).await {
        assert!(is_outage(&lost), "{lost}");
    }
    sqlx::query("SELECT 1").execute(&patient).await.unwrap();
    patient.close().await;
    assert_eq!(patient.size(), 0);
    sqlx::query("SELECT 1").execute(&patient).await.unwrap_err();
}
