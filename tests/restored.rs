//! A database that is dumped and restored into a new one: nothing is different; and one that is restored from an older dump, which has lost
//! the end of the log: whatever had followed that end says so, and goes on when it is told to. The same with a replica that takes the
//! primary's place, with all there is or without the end.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::chaos::proxy::Proxy;
use crate::shop::{Answer, DEADLINE, OwnServers, Shop, order_body, scaled};

/// Everything of a database, in SQL.
fn dump(shop: &Shop) -> Vec<u8> {
    let output = Command::new("pg_dump").arg("--no-owner").arg(&shop.database_url).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A new database of the same name, with what the dump has.
async fn restore(shop: &Shop, dump: &[u8]) {
    let (server, name) = shop.database_url.rsplit_once('/').unwrap();
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.unwrap();
    for statement in [format!("DROP DATABASE {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.unwrap();
    }
    let file = shop.data_dir.join("dump.sql");
    std::fs::write(&file, dump).unwrap();
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file).arg(&shop.database_url);
    let output = psql.stdout(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// An order that is paid; its id, the guest's token, and the token of the answer.
async fn bought(shop: &Shop, sku: &str) -> (String, String, String) {
    let (cart, guest) = shop.guest_cart(sku, 1).await;
    let placed = shop.order(&cart, &guest, "approve", 0).await.ok();
    (placed.text("/order_id"), guest, placed.token.unwrap())
}

async fn head(shop: &Shop) -> i64 {
    let mut database = PgConnection::connect(&shop.database_url).await.unwrap();
    sqlx::query_scalar("SELECT position FROM log.head").fetch_one(&mut database).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_is_restored_and_nothing_is_different() {
    if !scaled() {
        println!("only for a shop that is scaled out: on one machine PostgreSQL ends with the shop");
        return;
    }
    let shop = Shop::open().await;
    let sku = shop.product(&shop.staff().await, 5_000, 100).await;
    let (order, guest, token) = bought(&shop, &sku).await;
    shop.wait_for_status(&order, &guest, "confirmed").await;
    shop.kill();
    restore(&shop, &dump(&shop)).await;
    let shop = shop.restart().await;
    // The token of before is as good as ever.
    shop.get(&format!("/v1/orders/{order}"), Some(&guest), Some(&token)).await.expect(200);
    let (order, guest, _) = bought(&shop, &sku).await;
    shop.wait_for_status(&order, &guest, "confirmed").await;
    let (code, text) = shop.run(&["verify", "--kafka", "--search"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_restored_without_its_end_is_refused_until_it_is_told_so() {
    if !scaled() {
        println!("only for a shop that is scaled out: on one machine PostgreSQL ends with the shop");
        return;
    }
    let shop = Shop::open().await;
    let sku = shop.product(&shop.staff().await, 5_000, 100).await;
    let (order, guest, _) = bought(&shop, &sku).await;
    shop.wait_for_status(&order, &guest, "confirmed").await;
    let (older, restored) = (dump(&shop), head(&shop).await);
    let (lost, guest, token) = bought(&shop, &sku).await;
    shop.wait_for_status(&lost, &guest, "confirmed").await;
    shop.kill();
    restore(&shop, &older).await;

    refused_until_told(&shop, &sku, restored, &token).await;
    shop.kill();
}

/// Servers whose primary is reached through a proxy, and a shop on them.
async fn behind_a_proxy() -> (OwnServers, Proxy, Shop) {
    let mut servers = tokio::task::spawn_blocking(OwnServers::start).await.unwrap();
    let proxy = Proxy::bind();
    proxy.lead_to(&servers.reach_primary_at(proxy.address()));
    let shop = Shop::open_on(&servers).await;
    (servers, proxy, shop)
}

/// The primary dies, and whoever asks for it gets to a replica that was promoted.
async fn fail_over(servers: &OwnServers, proxy: &Proxy) {
    servers.fault("kill", "postgres").await;
    proxy.lead_to(&servers.promote_replica().await);
}

/// Until the first replica has all there is.
async fn replicated(shop: &Shop) {
    let (wanted, begun) = (head(shop).await, Instant::now());
    let mut replica = PgConnection::connect(&shop.replica_urls()[0]).await.unwrap();
    let position = "SELECT position FROM log.head";
    while sqlx::query_scalar::<_, i64>(position).fetch_one(&mut replica).await.unwrap() < wanted {
        assert!(begun.elapsed() < DEADLINE, "the replica does not come to {wanted}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_has_all_takes_over_and_the_roles_go_on_by_themselves() {
    if !scaled() {
        println!("only for a shop that is scaled out: on one machine there is no replica");
        return;
    }
    let (servers, proxy, shop) = behind_a_proxy().await;
    let sku = shop.product(&shop.staff().await, 5_000, 100).await;
    let (order, guest, token) = bought(&shop, &sku).await;
    shop.wait_for_status(&order, &guest, "confirmed").await;
    replicated(&shop).await;
    fail_over(&servers, &proxy).await;
    let opened =
        in_the_end(&shop, Method::POST, "/v1/carts", None, json!({"currency": "KRW", "locale": "ko"})).await;
    let (cart, another) = (opened.text("/cart_id"), opened.text("/guest_token"));
    let item = format!("/v1/carts/{cart}/items/{sku}");
    in_the_end(&shop, Method::PUT, &item, Some(&another), json!({"quantity": 1})).await;
    let body = order_body(&cart, "approve");
    let placed = in_the_end(&shop, Method::POST, "/v1/orders", Some(&another), body).await;
    shop.wait_for_status(&placed.text("/order_id"), &another, "confirmed").await;
    shop.get(&format!("/v1/orders/{order}"), Some(&guest), Some(&token)).await.expect(200);
    let (code, text) = shop.run(&["verify", "--kafka", "--search"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}

/// Cuts a replica off from its primary.
async fn receives_nothing(replica: &str) {
    let mut replica = PgConnection::connect(replica).await.unwrap();
    for statement in ["ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"] {
        sqlx::query(statement).execute(&mut replica).await.unwrap();
    }
    let (receiving, begun) = ("SELECT count(*) FROM pg_stat_wal_receiver", Instant::now());
    while sqlx::query_scalar::<_, i64>(receiving).fetch_one(&mut replica).await.unwrap() > 0 {
        assert!(begun.elapsed() < DEADLINE, "the replica does not stop receiving");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Asks with one key until it is not told to come again.
async fn in_the_end(shop: &Shop, method: Method, path: &str, bearer: Option<&str>, body: Value) -> Answer {
    let (key, begun) = (uuid::Uuid::new_v4().to_string(), Instant::now());
    loop {
        let mut request = shop.http.request(method.clone(), format!("{}{path}", shop.command_url()));
        request = request.header("Idempotency-Key", &key).json(&body);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let answer = shop.send(request).await;
        if answer.status != StatusCode::SERVICE_UNAVAILABLE {
            return answer.ok();
        }
        assert!(begun.elapsed() < DEADLINE, "{path}: {answer:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_takes_over_without_the_end_of_the_log_is_refused_until_it_is_told_so() {
    if !scaled() {
        println!("only for a shop that is scaled out: on one machine there is no replica");
        return;
    }
    let (servers, proxy, shop) = behind_a_proxy().await;
    let sku = shop.product(&shop.staff().await, 5_000, 100).await;
    let (order, guest, _) = bought(&shop, &sku).await;
    shop.wait_for_status(&order, &guest, "confirmed").await;
    replicated(&shop).await;
    let kept = head(&shop).await;
    for replica in shop.replica_urls() {
        receives_nothing(&replica).await;
    }
    let (lost, guest, token) = bought(&shop, &sku).await;
    shop.wait_for_status(&lost, &guest, "confirmed").await;
    shop.kill();
    fail_over(&servers, &proxy).await;
    refused_until_told(&shop, &sku, kept, &token).await;
    shop.kill();
}

/// No role runs, and the log has lost what the token is of.
async fn refused_until_told(shop: &Shop, sku: &str, restored: i64, token: &str) {
    shop.start_role_again("relay-1");
    says(shop, "relay-1", "but the log has nothing there").await;
    shop.kill_role("relay-1");
    let (code, text) = shop.run(&["recover", "log"]).await;
    assert!(code != 0 && text.contains("--yes"), "{text}");
    let (code, text) = shop.run(&["recover", "log", "--yes"]).await;
    assert!(code == 0 && text.contains("goes on after position"), "{text}");
    let (code, text) = shop.run(&["recover", "process-managers"]).await;
    assert_eq!(code, 0, "how far they were is in the dump: {text}");
    for role in ["relay-1", "sandbox-gateway", "command-api-1", "process-manager-1", "query-api-1"] {
        shop.start_role_again(role);
    }
    says(shop, "relay-1", "under another kafka_topics").await;
    assert!(head(shop).await >= restored);
    // Read models are those of the dump, and never come to what was lost: that is said, and not "come again".
    let refused = shop.get(&format!("/v1/stock/{sku}"), None, Some(token)).await.expect(409);
    assert!(refused.text("/type").ends_with("consistency-token-epoch"), "{refused:?}");
}

/// Until a role has said that.
async fn says(shop: &Shop, role: &str, words: &str) {
    let begun = Instant::now();
    while !shop.role_said(role).contains(words) {
        assert!(begun.elapsed() < DEADLINE, "{role} does not say {words:?}: {}", shop.role_said(role));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
