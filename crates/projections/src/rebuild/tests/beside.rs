use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::shop::{OPTIONS, model, number, rebuild_with, shop};
use crate::history::History;
use crate::rebuild::{Compared, Options};

/// Every table outside the copy, with the checksum of its rows.
async fn everything_else(history: &History) -> BTreeMap<String, String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relname NOT IN ('copies', 'copy_places') \
         AND relnamespace IN ('log'::regnamespace, 'vault'::regnamespace, 'read'::regnamespace)",
    )
    .fetch_all(&history.database.pool)
    .await
    .unwrap();
    let mut sums = BTreeMap::new();
    for table in tables {
        let sql = format!(
            "SELECT coalesce(sum(hashtextextended(to_jsonb(t)::text, 0)::numeric), 0)::text FROM {table} t"
        );
        let sum = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&history.database.pool).await.unwrap();
        sums.insert(table, sum);
    }
    sums
}

#[tokio::test]
async fn a_rebuild_writes_nothing_but_its_own_copy() {
    let history = shop(50).await;
    for model in crate::models() {
        // Something differs, so that it stops before the swap.
        let table = model.tables()[0];
        history
            .damage(&format!("CREATE TABLE public.kept AS TABLE read.{table}; DELETE FROM read.{table}"))
            .await;
        let before = everything_else(&history).await;
        let outcome = rebuild_with(&history, model.name(), OPTIONS).await.unwrap();
        assert!(
            matches!(outcome.compared, Compared::Different(_)) && outcome.swapped.is_none(),
            "{outcome:?}"
        );
        assert_eq!(everything_else(&history).await, before, "{}", model.name());
        history.damage(&format!("INSERT INTO read.{table} TABLE public.kept; DROP TABLE public.kept")).await;
    }
}

#[tokio::test]
async fn the_search_engine_is_told_of_all_products_when_they_are_swapped_in() {
    let history = shop(3).await;
    history.damage("INSERT INTO read.search_progress (version) VALUES (0); TRUNCATE read.search_queue").await;
    let queued = "SELECT count(*) FROM search_queue";
    history.damage("UPDATE read.products SET available = available + 1").await;
    assert!(rebuild_with(&history, "products", OPTIONS).await.unwrap().swapped.is_none());
    assert_eq!(number(&history, queued).await, 0);
    history.damage("UPDATE read.products SET available = available - 1").await;
    super::shop::equal(&rebuild_with(&history, "products", OPTIONS).await.unwrap());
    assert_eq!(number(&history, queued).await, number(&history, "SELECT count(*) FROM products").await);
}

#[tokio::test]
async fn several_models_are_rebuilt_at_once() {
    let history = shop(300).await;
    let rebuilt = crate::models().into_iter().map(|one| {
        let name = one.name();
        let workers = crate::rebuild::workers(model(name).as_ref(), 2);
        rebuild_with(&history, name, Options { workers, ..OPTIONS })
    });
    for outcome in futures::future::join_all(rebuilt).await {
        super::shop::equal(&outcome.unwrap());
    }
    super::shop::all_is_well(&history).await;
}
