use std::sync::Arc;
use std::time::Duration;

use super::shop::{model, shop};
use crate::extent::Extent;
use crate::rebuild::copy::Copy;
use crate::rebuild::fold::Source;
use crate::rebuild::{Meter, swap, turn};

#[tokio::test]
async fn a_swap_that_finds_too_much_to_fold_does_not_stand_in_its_own_way() {
    let history = shop(400).await;
    let head = history.store.head().await.unwrap();
    assert!(head.position.0 > 1_000, "more than a swap folds itself: {}", head.position);
    let mut held = turn::take(&history.read, "orders").await.unwrap();
    let (read, store, meter) = (history.read.clone(), history.store.clone(), Arc::new(Meter::default()));
    let source = Source { read, store, model: model("orders"), meter };
    let mut copy = Copy::create(&mut held, source.model.as_ref(), head.epoch, 2).await.unwrap();
    let swapped = swap::try_swap(&source, &mut held, &copy).await.unwrap();
    assert_eq!(swapped, None);
    let folded = source.fold(&mut copy, Extent::log(head.position));
    tokio::time::timeout(Duration::from_secs(60), folded).await.expect("the copy is locked").unwrap();
    assert_eq!(swap::try_swap(&source, &mut held, &copy).await.unwrap(), Some(head.position));
}
