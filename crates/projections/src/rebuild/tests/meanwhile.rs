use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::shop::{all_is_well, equal, rebuild, reserved, shop};
use crate::orders::examples::{forgotten, subject};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_during_a_rebuild_is_in_the_new_rows() {
    let mut history = shop(200).await;
    let projector = history.run(crate::models());
    let (read, store) = (history.read.clone(), history.store.clone());
    let over = Arc::new(AtomicBool::new(false));
    let rebuilding = tokio::spawn({
        let over = Arc::clone(&over);
        async move {
            let mut outcomes = Vec::new();
            for name in ["stock", "orders", "products", "stock"] {
                let (model, meter) = (super::shop::model(name), Arc::default());
                let options = crate::rebuild::Options { workers: 1, ..super::shop::OPTIONS };
                outcomes.push(crate::rebuild::run(&read, &store, model, options, meter).await);
            }
            over.store(true, Ordering::Relaxed);
            outcomes
        }
    });
    let mut appended = 0;
    while !over.load(Ordering::Relaxed) || appended < 20 {
        history.append([reserved(appended % 200, 1)]).await;
        appended += 1;
    }
    for outcome in rebuilding.await.unwrap() {
        equal(&outcome.unwrap());
    }
    history.reaches("stock").await;
    for model in crate::models() {
        history.reaches(model.name()).await;
    }
    projector.stop().await.unwrap();
    all_is_well(&history).await;
}

#[tokio::test]
async fn who_is_forgotten_meanwhile_is_no_difference() {
    let mut history = shop(5).await;
    // The log says less already, and the running rows do not know it yet.
    assert!(history.store.destroy_key(subject()).await.unwrap());
    history.append([forgotten()]).await;
    let projector = history.run(crate::models());
    for name in ["customers", "orders"] {
        equal(&rebuild(&history, name).await.unwrap());
    }
    projector.stop().await.unwrap();
    let known = "SELECT count(*) FROM orders WHERE contact IS NOT NULL";
    assert_eq!(super::shop::number(&history, known).await, 0);
    all_is_well(&history).await;
}
