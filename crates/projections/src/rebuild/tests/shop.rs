//! A shop with enough in it for several batches, and what tests do with it.

use std::sync::Arc;

use domain::ids::{OrderId, ProductId};
use domain::text::Sku;
use domain::{Event, StreamId, stock};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::history::History;
use crate::rebuild::{self, Compared, Error, Meter, Options, Outcome};
use crate::{ReadModel, models};

pub(super) const OPTIONS: Options = Options { workers: 2, restart: false, accept_differences: false };

/// A stock item of its own.
pub(super) fn item(number: u32) -> (Sku, StreamId) {
    let sku = Sku::parse(&format!("ITEM-{number}")).unwrap();
    (sku.clone(), StreamId::stock(&sku))
}

/// It is listed and gets ten pieces.
pub(super) fn listed(number: u32) -> [(StreamId, Event); 2] {
    let (sku, stream) = item(number);
    let listed = stock::Listed { sku, product_id: ProductId(Uuid::from_u128(u128::from(number) + 1_000)) };
    let received = stock::Received { quantity: 10, reason: "delivery".to_owned() };
    [(stream.clone(), Event::Stock(listed.into())), (stream, Event::Stock(received.into()))]
}

/// An order takes pieces of it.
pub(super) fn reserved(number: u32, quantity: u32) -> (StreamId, Event) {
    let reserved =
        stock::Reserved { order_id: OrderId(Uuid::from_u128(u128::from(number) + 5_000)), quantity };
    (item(number).1, Event::Stock(reserved.into()))
}

/// The shop of verification, with so many stock items more.
pub(super) async fn shop(items: u32) -> History {
    let mut history = crate::verify::tests::shop::shop().await;
    stock_up(&mut history, items).await;
    history.fold().await;
    history
}

/// So many items are listed, and an order takes of each.
pub(super) async fn stock_up(history: &mut History, items: u32) {
    let all =
        (0..items).flat_map(listed).chain((0..items).map(|number| reserved(number, 3))).collect::<Vec<_>>();
    for some in all.chunks(500) {
        history.append(some.to_vec()).await;
    }
}

pub(super) fn model(name: &str) -> Arc<dyn ReadModel> {
    models().into_iter().find(|model| model.name() == name).map(Arc::from).unwrap()
}

pub(super) async fn rebuild(history: &History, name: &str) -> Result<Outcome, Error> {
    rebuild_with(history, name, OPTIONS).await
}

pub(super) async fn rebuild_with(history: &History, name: &str, options: Options) -> Result<Outcome, Error> {
    let meter = Arc::new(Meter::default());
    rebuild::run(&history.read, &history.store, model(name), options, meter).await
}

/// It was rebuilt, found to be the same, and swapped in.
#[track_caller]
pub(super) fn equal(outcome: &Outcome) {
    assert!(matches!(outcome.compared, Compared::Equal(_)), "{outcome:?}");
    assert!(outcome.swapped.is_some(), "{outcome:?}");
}

/// All rows of a table, wherever it is.
pub(super) async fn rows(history: &History, table: &str) -> Vec<serde_json::Value> {
    let sql = format!("SELECT to_jsonb(t) FROM {table} t ORDER BY to_jsonb(t)::text");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&history.read).await.unwrap()
}

/// One number of the database.
pub(super) async fn number(history: &History, sql: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&history.read).await.unwrap()
}

/// All promises are kept.
pub(super) async fn all_is_well(history: &History) {
    let checks = crate::verify::run(&history.store, &history.read).await.unwrap();
    let failing = checks.into_iter().filter(|check| !check.ok).collect::<Vec<_>>();
    assert_eq!(failing, []);
}
