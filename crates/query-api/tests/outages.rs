//! What is answered while something is away or broken.

use futures::StreamExt;
use http_surface::auth::Role;
use query_api::Config;

use crate::shop::Shop;

#[tokio::test]
async fn while_the_read_models_are_away_the_caller_is_asked_to_come_again() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let placed = shop.order(&sku, 1).await;
    shop.read.close().await;
    let staff = shop.role(Role::Staff);
    let order = format!("/v1/orders/{}", placed.order_id);
    for path in
        ["/v1/orders", "/v1/products", &order, &format!("/v1/stock/{sku}"), "/v1/replenishment-alerts"]
    {
        let answer = shop.get_with(path, Some(&staff), &[]).await.expect(503);
        assert_eq!(answer.code(), "unavailable", "{path}");
        assert_eq!(answer.header("retry-after"), "1");
        shop.get(path, Some(&staff)).await.expect(503);
    }
}

#[tokio::test]
async fn while_the_log_is_away_the_caller_is_asked_to_come_again() {
    let shop = Shop::open().await;
    let sku = shop.product(5).await;
    let placed = shop.order(&sku, 1).await;
    shop.shutdown.cancel();
    shop.store.pool().close().await;
    let somebody = shop.token(uuid::Uuid::from_u128(1), &[Role::Analyst, Role::Auditor]);
    for path in ["/v1/events".to_owned(), format!("/v1/audit/orders/{}", placed.order_id)] {
        let answer = shop.get_with(&path, Some(&somebody), &[]).await.expect(503);
        assert_eq!(answer.code(), "unavailable", "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_could_not_be_finished_does_not_look_finished() {
    let shop = Shop::open_with(Config { events_per_page: 1, ..Config::default() }).await;
    shop.product(5).await;
    let (status, _, body) = shop.begin("/v1/events", Some(&shop.role(Role::Analyst)), &[]).await;
    assert_eq!(status, 200);
    let mut body = body.into_data_stream();
    assert!(body.next().await.unwrap().is_ok());
    shop.shutdown.cancel();
    shop.store.pool().close().await;
    assert!(body.next().await.unwrap().is_err(), "the transfer must break off");
}

#[tokio::test]
async fn what_is_stored_wrongly_is_for_the_operators_eyes_only() {
    let shop = Shop::open().await;
    sqlx::query("ALTER TABLE orders RENAME COLUMN status TO secret").execute(&shop.read).await.unwrap();
    let answer = shop.get_with("/v1/orders", Some(&shop.role(Role::Staff)), &[]).await;
    assert!(answer.status.is_server_error());
    assert!(!answer.text().contains("secret") && !answer.text().contains("column"), "{}", answer.text());
}
