use std::sync::Arc;

use event_store::Position;

use super::shop::{model, rows, shop};
use crate::extent::Extent;
use crate::models;
use crate::rebuild::copy::Copy;
use crate::rebuild::fold::Source;
use crate::rebuild::{Meter, turn};

/// Wherever a batch ends, what was built before is found again.
#[tokio::test]
async fn rows_are_the_same_however_the_log_is_cut_into_batches() {
    let history = shop(2).await;
    let head = history.store.head().await.unwrap();
    for name in models().iter().map(|model| model.name()) {
        let mut held = turn::take(&history.read, name).await.unwrap();
        let (read, store, meter) = (history.read.clone(), history.store.clone(), Arc::new(Meter::default()));
        let source = Source { read, store, model: model(name), meter };
        let mut copy = Copy::create(&mut held, source.model.as_ref(), head.epoch, 2).await.unwrap();
        for position in 1..=head.position.0 {
            source.fold(&mut copy, Extent::log(Position(position))).await.unwrap();
        }
        for table in source.model.tables() {
            let built = rows(&history, &format!("read_next_{name}.{table}")).await;
            assert_eq!(built, rows(&history, table).await, "{table}");
        }
    }
}
