//! Building the rows in tables that are new: those of orders that begin in a batch are not there, and are written with COPY.

use std::collections::HashSet;

use domain::order;
use event_store::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::Row;
use super::{Batch, folded, table};
use crate::binary::Rows;

/// Indexes that nothing here looks into: they are made when the rows are there.
pub(super) const INDEXES: &[&str] = &["orders_newest", "orders_newest_by_status", "orders_newest_by_owner"];

const ORDERS: &str = "orders (order_id, version, owner_kind, owner_id, status, currency, total, refunded, placed_at, updated_at, \
     document, state, subject, contact, address)";
const MENTIONS: &str = "order_mentions (order_id, position)";

/// The same as [`super::project`], for events that come only once.
pub(super) async fn build(connection: &mut PgConnection, events: &[Recorded]) -> Result<(), sqlx::Error> {
    let batch = Batch::of(events);
    let placed: HashSet<Uuid> = batch.placed().collect();
    let rows = folded(connection, &batch).await?;
    let (new, known): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| placed.contains(&row.order_id));
    write(connection, &new).await?;
    table::update(connection, &known).await?;
    mention(connection, &batch.mentions).await?;
    table::forget(connection, &batch.forgotten).await
}

impl Batch<'_> {
    /// Orders that begin here.
    fn placed(&self) -> impl Iterator<Item = Uuid> {
        let begins = |event: &order::Event| matches!(event, order::Event::Placed(_));
        self.of_orders.iter().filter(move |(.., event)| begins(event)).map(|(order, ..)| *order)
    }
}

async fn write(connection: &mut PgConnection, new: &[Row]) -> Result<(), sqlx::Error> {
    if new.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new();
    for row in new {
        rows.row(15)
            .uuid(row.order_id)
            .int(row.version)
            .text(&row.owner_kind)
            .uuid(row.owner_id)
            .text(&row.status)
            .text(&row.currency)
            .bigint(row.total)
            .bigint(row.refunded)
            .time(row.placed_at)
            .time(row.updated_at)
            .json(&row.document)?
            .json(&row.state)?
            .uuid(row.subject)
            .json_or_null(row.contact.as_ref())?
            .json_or_null(row.address.as_ref())?;
    }
    rows.copy_into(connection, ORDERS).await
}

async fn mention(connection: &mut PgConnection, mentions: &[(Uuid, i64)]) -> Result<(), sqlx::Error> {
    if mentions.is_empty() {
        return Ok(());
    }
    let mut sorted = mentions.to_vec();
    sorted.sort_unstable();
    let mut rows = Rows::new();
    for (order, position) in sorted {
        rows.row(2).uuid(order).bigint(position);
    }
    rows.copy_into(connection, MENTIONS).await
}
