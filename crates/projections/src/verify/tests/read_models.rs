use event_store::Recorded;
use futures::future::BoxFuture;
use sqlx::PgConnection;

use super::shop::{failing, only, shop};
use crate::verify::{checks, fresh};
use crate::{Error, ReadModel};

#[tokio::test]
async fn a_row_that_was_changed_is_named_with_the_columns_that_differ() {
    let history = shop().await;
    history.damage("UPDATE read.stock SET on_hand = on_hand + 1, reserved = 1").await;
    let said = only(&failing(&history).await, &["stock is what the log says"]);
    assert_eq!(said, ["stock AIR-MAX differs in on_hand, reserved"]);
}

#[tokio::test]
async fn what_is_personal_is_not_shown() {
    let history = shop().await;
    history.damage("UPDATE read.customers SET name = '김철수'").await;
    let said = only(&failing(&history).await, &["customers is what the log says"]);
    assert_eq!(said, [format!("customers {} differs in name", crate::orders::examples::CUSTOMER)]);
}

#[tokio::test]
async fn a_row_that_was_deleted_is_missing() {
    let history = shop().await;
    history.damage("DELETE FROM read.tracking").await;
    let said = only(&failing(&history).await, &["tracking is what the log says"]);
    assert_eq!(said, [format!("tracking {} is missing", crate::orders::examples::ORDER)]);
}

#[tokio::test]
async fn rows_that_nobody_wrote_are_counted() {
    let history = shop().await;
    history
        .damage("INSERT INTO read.order_mentions SELECT order_id, 1000 + n FROM read.orders, generate_series(1, 5) n")
        .await;
    let said = only(&failing(&history).await, &["orders is what the log says"]);
    assert!(said[0].contains("should not be there") && said[0].ends_with("and 2 more"), "{said:?}");
}

#[tokio::test]
async fn each_table_of_each_model_is_compared() {
    let (history, models) = (shop().await, crate::models());
    for (model, table) in
        models.iter().flat_map(|model| model.tables().iter().map(move |table| (model, table)))
    {
        history
            .damage(&format!("CREATE TABLE read.kept AS TABLE read.{table}; DELETE FROM read.{table}"))
            .await;
        let kept: i64 =
            sqlx::query_scalar("SELECT count(*) FROM kept").fetch_one(&history.read).await.unwrap();
        let checks = fresh::checks(&history.store, &history.read, &models).await.unwrap();
        let failing: Vec<String> =
            checks.into_iter().filter(|check| !check.ok).map(|check| check.name).collect();
        let expected = (kept > 0).then(|| format!("{} is what the log says", model.name()));
        assert_eq!(failing, Vec::from_iter(expected), "{table}");
        history.damage(&format!("INSERT INTO read.{table} TABLE read.kept; DROP TABLE read.kept")).await;
    }
    assert_eq!(failing(&history).await, []);
}

#[tokio::test]
async fn progress_that_is_wrong_is_found() {
    for (damage, says) in [
        ("DELETE FROM read.progress WHERE model = 'carts'", "it was never folded"),
        ("UPDATE read.progress SET position = 99 WHERE model = 'carts'", "the log ends at 26"),
        ("UPDATE read.progress SET epoch = gen_random_uuid() WHERE model = 'carts'", "another log"),
        ("UPDATE read.progress SET position = 7 WHERE model = 'carts'", "differs in"),
    ] {
        let history = shop().await;
        history.damage(damage).await;
        let said = only(&failing(&history).await, &["carts is what the log says"]);
        assert!(said[0].contains(says), "{damage}: {said:?}");
    }
}

/// A read model that writes to a table that is not its own.
struct Stray;

impl ReadModel for Stray {
    fn name(&self) -> &'static str {
        "stray"
    }
    fn tables(&self) -> &'static [&'static str] {
        &["stock"]
    }
    fn topics(&self) -> &'static [event_store::Topic] {
        &event_store::Topic::ALL
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        _: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM carts").execute(connection).await?;
            Ok(())
        })
    }
}

#[tokio::test]
async fn verification_cannot_touch_what_it_verifies() {
    let history = shop().await;
    history
        .damage(
            "INSERT INTO read.progress SELECT 'stray', 1, epoch, position, lane FROM read.progress LIMIT 1",
        )
        .await;
    let models: Vec<Box<dyn ReadModel>> = vec![Box::new(Stray)];
    let checks = checks(&history.store, &history.read, &models).await.unwrap();
    let stray = checks.iter().find(|check| check.name.starts_with("stray")).unwrap();
    assert!(!stray.ok && stray.detail.contains("read-only transaction"), "{stray:?}");
    assert_eq!(failing(&history).await, [], "the cart is still there");
}
