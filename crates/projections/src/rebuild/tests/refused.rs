use super::shop::{OPTIONS, equal, model, rebuild, rebuild_with, shop};
use crate::rebuild::{Compared, Error, Options, rollback, turn};

#[tokio::test]
async fn two_at_once_are_refused() {
    let history = shop(3).await;
    let held = turn::take(&history.read, "stock").await.unwrap();
    let error = rebuild(&history, "stock").await.unwrap_err();
    assert!(matches!(error, Error::Busy { model: "stock" }), "{error}");
    let error = rollback(&history.read, &history.store, model("stock")).await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    equal(&rebuild(&history, "carts").await.unwrap());
    drop(held);
    equal(&rebuild(&history, "stock").await.unwrap());
}

#[tokio::test]
async fn rows_of_another_log_are_not_compared() {
    let history = shop(3).await;
    history.store.bump_epoch().await.unwrap();
    let error = rebuild(&history, "stock").await.unwrap_err();
    assert!(matches!(error, Error::OtherEpoch { model: "stock" }), "{error}");

    let accepting = Options { accept_differences: true, ..OPTIONS };
    let outcome = rebuild_with(&history, "stock", accepting).await.unwrap();
    assert!(outcome.swapped.is_some() && outcome.compared == Compared::OtherEpoch, "{outcome:?}");
    let projector = history.run(vec![Box::new(crate::stock::Stock)]);
    history.reaches("stock").await;
    projector.stop().await.unwrap();
    let error = rollback(&history.read, &history.store, model("stock")).await.unwrap_err();
    assert!(matches!(error, Error::OtherEpoch { .. }), "{error}");
}

#[tokio::test]
async fn rows_of_a_newer_program_are_left_alone() {
    let history = shop(3).await;
    history.damage("UPDATE read.progress SET version = 1000 WHERE model = 'stock'").await;
    let error = rebuild(&history, "stock").await.unwrap_err();
    assert!(matches!(error, Error::Fold(crate::Error::Newer { found: 1000, .. })), "{error}");
}

#[tokio::test]
async fn tables_that_a_migration_has_changed_are_not_swapped() {
    let history = shop(3).await;
    history.damage("UPDATE read.stock SET on_hand = 99 WHERE sku = 'ITEM-1'").await;
    assert!(rebuild(&history, "stock").await.unwrap().swapped.is_none());
    history.damage("UPDATE read.stock SET on_hand = 10 WHERE sku = 'ITEM-1'").await;
    history
        .damage(
            "ALTER TABLE read.stock ADD COLUMN colour text; CREATE INDEX by_colour ON read.stock (colour)",
        )
        .await;
    // What was left is of the old shape: it is built anew.
    let outcome = rebuild(&history, "stock").await.unwrap();
    equal(&outcome);
    assert!(outcome.events >= 9, "{outcome:?}");

    history.damage("DROP INDEX read.by_colour").await;
    let error = rollback(&history.read, &history.store, model("stock")).await.unwrap_err();
    assert!(matches!(error, Error::TablesChanged { model: "stock" }), "{error}");
}

#[tokio::test]
async fn a_model_that_nobody_has_folded_is_built() {
    let history = shop(3).await;
    history.damage("DELETE FROM read.progress WHERE model = 'stock'; DELETE FROM read.stock").await;
    let outcome = rebuild(&history, "stock").await.unwrap();
    assert_eq!(
        (outcome.compared, outcome.swapped.map(|at| at.0)),
        (Compared::NeverFolded, history.position("stock").await)
    );
    super::shop::all_is_well(&history).await;
}
