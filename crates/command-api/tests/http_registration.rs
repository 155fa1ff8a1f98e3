//! Registrations that were cut off: by a crash, or by a client who went away.

use std::time::{Duration, Instant};

use futures::FutureExt;

use crate::http_customers::{customer, person, rows, sign_in};
use crate::shop::{Call, Shop};

const DEADLINE: Duration = Duration::from_secs(30);

async fn run(shop: &Shop, statement: &'static str) {
    sqlx::query(statement).execute(&shop.database.pool).await.unwrap();
}

async fn active(shop: &Shop) -> i64 {
    let active = sqlx::query_scalar("SELECT count(*) FROM vault.credentials WHERE active");
    active.fetch_one(&shop.database.pool).await.unwrap()
}

/// So many registrations of an address that never came to their end, of that age in hours.
async fn cut_off(shop: &Shop, email: &str, count: i32, hours: i32) {
    sqlx::query(
        "INSERT INTO vault.credentials (account_id, email_index, password_hash, roles, active, created_at)
         SELECT gen_random_uuid(), $1, 'none', '{customer}', false, now() - make_interval(hours => $3)
           FROM generate_series(1, $2)",
    )
    .bind(shop.store.email_index(&email.parse().unwrap()).as_str())
    .bind(count)
    .bind(hours)
    .execute(&shop.database.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_registration_that_was_cut_off_is_settled_by_the_log() {
    let shop = Shop::open().await;
    customer(&shop, "haneul@example.com").await;
    let pending = "UPDATE vault.credentials SET active = false";
    sqlx::query(pending).execute(&shop.database.pool).await.unwrap();
    // The log has it: signing in makes it active.
    sign_in(&shop, "haneul@example.com").await.expect(201);
    let active: bool = sqlx::query_scalar("SELECT active FROM vault.credentials")
        .fetch_one(&shop.database.pool)
        .await
        .unwrap();
    assert!(active);
    // The log does not have it: the row lets nobody in, and stands in nobody's way.
    sqlx::query(
        "INSERT INTO vault.credentials (account_id, email_index, password_hash, roles, active)
         SELECT gen_random_uuid(), $1, password_hash, roles, false FROM vault.credentials",
    )
    .bind(shop.store.email_index(&"sky@example.com".parse().unwrap()).as_str())
    .execute(&shop.database.pool)
    .await
    .unwrap();
    sign_in(&shop, "sky@example.com").await.problem(401, "invalid-credentials");
    customer(&shop, "sky@example.com").await;
    assert_eq!(rows(&shop).await, 2, "the row that was left behind is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_who_goes_away_leaves_no_half_registration() {
    let shop = Shop::open().await;
    let call = shop.send(Call::post("/v1/customers", person("haneul@example.com")));
    assert!(call.now_or_never().is_none(), "it takes a while, and nobody waits for it");
    let begun = Instant::now();
    while active(&shop).await == 0 {
        assert!(begun.elapsed() < DEADLINE, "the registration has not come to its end");
        tokio::task::yield_now().await;
    }
    assert_eq!(rows(&shop).await, 1);
    sign_in(&shop, "haneul@example.com").await.expect(201);
}

#[tokio::test]
async fn the_genuine_row_is_found_among_many_that_were_cut_off() {
    let shop = Shop::open().await;
    let (id, _) = customer(&shop, "haneul@example.com").await;
    run(&shop, "UPDATE vault.credentials SET active = false, created_at = now() - interval '1 hour'").await;
    cut_off(&shop, "haneul@example.com", 500, 0).await;
    let token = sign_in(&shop, "haneul@example.com").await.expect(201).text("/access_token");
    assert_eq!(shop.keys.verify(&token).unwrap().sub, id.0);
}

#[tokio::test]
async fn old_leftovers_go_when_the_address_is_registered_and_the_owners_row_stays() {
    let shop = Shop::open().await;
    customer(&shop, "haneul@example.com").await;
    // The owner's own row is pending as well, and as old.
    run(&shop, "UPDATE vault.credentials SET active = false, created_at = now() - interval '25 hours'").await;
    cut_off(&shop, "haneul@example.com", 3, 25).await;
    cut_off(&shop, "haneul@example.com", 2, 23).await;
    cut_off(&shop, "sky@example.com", 1, 25).await;
    shop.refused(Call::post("/v1/customers", person("haneul@example.com")), 409, "email-taken").await;
    assert_eq!(rows(&shop).await, 1 + 2 + 1, "the owner's, those of today, and another address's");
    sign_in(&shop, "haneul@example.com").await.expect(201);
}
