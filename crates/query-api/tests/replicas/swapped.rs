//! Tables that are swapped, as a rebuild does it, while they are asked: on the primary and on replicas that replay it.

use std::sync::atomic::{AtomicBool, Ordering};

use http_surface::auth::Role;
use query_api::Patience;
use sqlx::{AssertSqlSafe, Connection, PgPool};

use super::stack::Stack;
use crate::shop::Shop;

const SWAPS: u32 = 15;
const CLIENTS: u32 = 4;

async fn tables(read: &PgPool) -> Vec<String> {
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'read' \
                  AND tablename NOT IN ('progress', '_sqlx_migrations') ORDER BY 1";
    sqlx::query_scalar(tables).fetch_all(read).await.unwrap()
}

/// Builds every table beside the one that is asked, with the same rows, and puts it into its place.
async fn swap(read: &PgPool, tables: &[String]) {
    let mut connection = read.acquire().await.unwrap().detach();
    let run = async |connection: &mut sqlx::PgConnection, statement: String| {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await
    };
    let copies = tables.iter().map(|table| {
        format!("CREATE TABLE next.{table} (LIKE read.{table} INCLUDING ALL); INSERT INTO next.{table} SELECT * FROM read.{table};")
    });
    let copy = format!("CREATE SCHEMA next; CREATE SCHEMA old; {}", copies.collect::<String>());
    run(&mut connection, copy).await.unwrap();
    let moves = tables.iter().map(|table| {
        format!("ALTER TABLE read.{table} SET SCHEMA old; ALTER TABLE next.{table} SET SCHEMA read;")
    });
    let moves = format!("BEGIN; SET LOCAL lock_timeout = '200ms'; {} COMMIT", moves.collect::<String>());
    // Somebody asks it for longer than that: once more.
    while run(&mut connection, moves.clone()).await.is_err() {
        run(&mut connection, "ROLLBACK".to_owned()).await.unwrap();
    }
    run(&mut connection, "DROP SCHEMA old CASCADE; DROP SCHEMA next CASCADE".to_owned()).await.unwrap();
    connection.close().await.unwrap();
}

async fn ask(shop: &Shop, paths: &[String], token: &str, stop: &AtomicBool) -> u32 {
    let (staff, mut count) = (shop.role(Role::Staff), 0);
    while !stop.load(Ordering::Relaxed) {
        for path in paths {
            shop.get_with(path, Some(&staff), &[]).await.expect(200);
            shop.get_with(path, Some(&staff), &[("consistency-token", token)]).await.expect(200);
            count += 2;
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_query_fails_while_tables_are_swapped_under_it() {
    let stack = Stack::up().await;
    let shop = stack.shop(Patience::default()).await;
    let sku = shop.product(5).await;
    let placed = shop.order(&sku, 1).await;
    let order = format!("/v1/orders/{}", placed.order_id);
    let paths = [
        format!("/v1/stock/{sku}"),
        "/v1/products?q=shoes".to_owned(),
        format!("/v1/carts/{}", placed.cart_id),
        "/v1/orders".to_owned(),
        format!("{order}/tracking"),
        order,
    ];
    let (token, stop, tables) = (shop.now().await, AtomicBool::new(false), tables(&shop.read).await);
    for path in &paths {
        shop.get(path, Some(&shop.role(Role::Staff))).await.expect(200);
    }
    // Whoever asks without a token may be shown what was there a moment ago.
    stack.settled().await;
    assert!(tables.len() > 5, "{tables:?}");
    let clients = futures::future::join_all((0..CLIENTS).map(|_| ask(&shop, &paths, &token, &stop)));
    let swaps = async {
        for _ in 0..SWAPS {
            swap(&shop.read, &tables).await;
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (counts, ()) = tokio::join!(clients, swaps);
    assert!(counts.iter().sum::<u32>() > 100, "hardly anybody asked");
}
