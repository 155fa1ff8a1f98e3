use serde_json::json;

use super::Tracking;
use crate::orders::examples::*;
use crate::orders::given::{at, given};

#[tokio::test]
async fn every_status_has_its_time() {
    let given = given(Tracking, [happened(placed())])
        .await
        .when([happened(confirmed()), happened(sent(SHIPMENT, 2))])
        .await
        .when([happened(delivered(SHIPMENT))])
        .await
        .then("tracking", json!({"status": "delivered", "version": 4}))
        .await
        .and_again()
        .await;
    let way = super::query::find(&given.pool, ORDER).await.unwrap().unwrap();
    let steps: Vec<_> = way.steps.iter().map(|step| (step.status.as_str(), step.at)).collect();
    let expected = [("pending_payment", 1), ("confirmed", 2), ("shipped", 3), ("delivered", 4)];
    assert_eq!(steps, expected.map(|(status, position)| (status, at(position))));
    let shipment = &way.shipments[0];
    assert_eq!((shipment.sent_at, shipment.delivered_at), (at(3), Some(at(4))));
    assert_eq!(shipment.tracking_number, "1234");
}

#[tokio::test]
async fn an_event_that_changes_no_status_is_no_step() {
    let given = given(Tracking, [happened(placed()), happened(confirmed()), happened(sent(SHIPMENT, 2))])
        .await
        .when([happened(delivered(SHIPMENT)), happened(return_requested(1))])
        .await
        .then("tracking", json!({"status": "delivered", "version": 5}))
        .await;
    let way = super::query::find(&given.pool, ORDER).await.unwrap().unwrap();
    assert_eq!(way.steps.len(), 4);
}
