use super::shop::{all_is_well, equal, rebuild, rows, shop, stock_up};
use crate::models;

#[tokio::test]
async fn every_read_model_is_the_same_after_a_rebuild() {
    let history = shop(700).await;
    for model in models() {
        let mut before = Vec::new();
        for table in model.tables() {
            before.push(rows(&history, table).await);
        }
        let outcome = rebuild(&history, model.name()).await.unwrap();
        equal(&outcome);
        assert!(outcome.events > 0, "{} has events in this shop", model.name());
        for (table, before) in model.tables().iter().zip(before) {
            assert_eq!(rows(&history, table).await, before, "{table}");
        }
    }
    all_is_well(&history).await;
}

#[tokio::test]
async fn a_projector_goes_on_from_the_swapped_rows() {
    let mut history = shop(10).await;
    for model in models() {
        equal(&rebuild(&history, model.name()).await.unwrap());
    }
    stock_up(&mut history, 0).await;
    history.append([super::shop::reserved(3, 2)]).await;
    history.fold().await;
    let reserved = super::shop::number(&history, "SELECT reserved FROM stock WHERE sku = 'ITEM-3'").await;
    assert_eq!(reserved, 5);
    all_is_well(&history).await;
}

#[tokio::test]
async fn tables_keep_their_indexes_and_options_by_name() {
    let history = shop(3).await;
    let described = "SELECT to_jsonb(d) FROM (SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'read' \
         UNION ALL SELECT relname, array_to_string(reloptions, ','), relkind::text FROM pg_class \
         WHERE relnamespace = 'read'::regnamespace AND relkind = 'r' \
         UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE connamespace = 'read'::regnamespace) d ORDER BY 1";
    let before: Vec<serde_json::Value> =
        sqlx::query_scalar(described).fetch_all(&history.read).await.unwrap();
    assert!(before.len() > 40, "{}", before.len());
    for model in models() {
        rebuild(&history, model.name()).await.unwrap();
    }
    let after: Vec<serde_json::Value> = sqlx::query_scalar(described).fetch_all(&history.read).await.unwrap();
    assert_eq!(after, before);
}

#[tokio::test]
async fn who_may_read_the_rows_may_read_the_new_ones() {
    let history = shop(3).await;
    history.damage("GRANT SELECT ON read.stock TO PUBLIC").await;
    rebuild(&history, "stock").await.unwrap();
    let granted = "SELECT count(*) FROM pg_class, aclexplode(relacl) \
         WHERE oid = 'read.stock'::regclass AND grantee = 0 AND privilege_type = 'SELECT'";
    assert_eq!(super::shop::number(&history, granted).await, 1);
}
