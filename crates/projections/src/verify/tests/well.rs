use super::shop::{checks, failing, reserved, shop};
use crate::history::History;
use crate::orders::examples::{forgotten, subject};

#[tokio::test]
async fn all_is_well_in_a_shop_where_all_is_well() {
    let history = shop().await;
    let checks = checks(&history).await;
    let told: Vec<String> = checks
        .iter()
        // How many rows a product has is the business of its read model.
        .filter(|check| !(check.ok && check.name == "products is what the log says"))
        .map(|check| format!("{}: {} ({})", check.ok, check.name, check.detail))
        .collect();
    assert_eq!(
        told,
        [
            "true: positions are gapless (26 events)",
            "true: versions are gapless (6 streams)",
            "true: every event can be read (26 events, with their personal data)",
            "true: stock is never below zero (1 item, 7 changes)",
            "true: every order adds up (1 order)",
            "true: no order is charged twice (1 order, 1 payment)",
            "true: no more is captured than authorised, nor given back than captured (1 payment)",
            "true: every payment has its order, and every order its payment (1 order, 1 payment)",
            "true: every command has its events, once (3 commands)",
            "true: carts is what the log says (1 row at position 26)",
            "true: orders is what the log says (4 rows at position 26)",
            "true: tracking is what the log says (1 row at position 26)",
            "true: stock is what the log says (2 rows at position 26)",
            "true: customers is what the log says (1 row at position 26)",
            "true: payments is what the log says (1 row at position 26)",
            "true: no stream is parked (7 read models)",
        ]
    );
}

#[tokio::test]
async fn an_empty_log_that_was_followed_is_well() {
    let history = History::begin().await;
    history.fold().await;
    assert_eq!(failing(&history).await, []);
}

#[tokio::test]
async fn a_read_model_that_is_behind_is_compared_where_it_is() {
    let mut history = shop().await;
    history.append([reserved(1)]).await;
    assert_eq!(failing(&history).await, []);
    history.fold().await;
    assert_eq!(failing(&history).await, []);
}

#[tokio::test]
async fn a_customer_who_is_forgotten_is_no_difference() {
    let mut history = shop().await;
    history.append([forgotten()]).await;
    history.fold().await;
    assert!(history.store.destroy_key(subject()).await.unwrap());
    assert_eq!(failing(&history).await, []);
}

#[tokio::test]
async fn what_happens_meanwhile_is_no_difference() {
    let mut history = shop().await;
    let running = history.run(crate::models());
    let (store, read) = (history.store.clone(), history.read.clone());
    let verifying = tokio::spawn(async move {
        let mut failing = Vec::new();
        for _ in 0..10 {
            let checks = crate::verify::run(&store, &read).await.unwrap();
            failing.extend(checks.into_iter().filter(|check| !check.ok));
        }
        failing
    });
    while !verifying.is_finished() {
        let position = history.append([reserved(1)]).await;
        let released = domain::stock::Released { order_id: crate::orders::examples::ORDER, quantity: 1 };
        history.append([super::shop::item(released)]).await;
        assert!(crate::reached(&history.read, "stock", position, crate::history::deadline()).await.unwrap());
    }
    assert_eq!(verifying.await.unwrap(), []);
    running.stop().await.unwrap();
}
