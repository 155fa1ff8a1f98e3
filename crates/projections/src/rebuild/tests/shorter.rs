use std::sync::Arc;
use std::time::Duration;

use event_store::Position;

use super::shop::{model, shop};
use crate::extent::Extent;
use crate::rebuild::copy::Copy;
use crate::rebuild::fold::Source;
use crate::rebuild::{Meter, turn};

/// As after a failover that has lost the end of the log: the rows to be compared with are further.
#[tokio::test]
async fn one_that_is_to_come_further_than_the_log_ends_with_an_error() {
    let history = shop(1).await;
    let head = history.store.head().await.unwrap();
    let mut held = turn::take(&history.read, "stock").await.unwrap();
    let (read, store, meter) = (history.read.clone(), history.store.clone(), Arc::new(Meter::default()));
    let source = Source { read, store, model: model("stock"), meter };
    let mut copy = Copy::create(&mut held, source.model.as_ref(), head.epoch, 2).await.unwrap();
    let further = Extent::log(Position(head.position.0 + 10));
    let folding = tokio::time::timeout(Duration::from_secs(30), source.fold(&mut copy, further));
    let error = folding.await.expect("it goes round and round").unwrap_err();
    let end = format!("the log ends at {}", head.position);
    assert!(error.to_string().contains(&end), "{error}");
}
