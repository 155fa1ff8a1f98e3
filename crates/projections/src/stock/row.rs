//! One stock item as it is stored, and how each event of its stream changes it.

use chrono::{DateTime, Utc};
use domain::stock::{self, Event};
use uuid::Uuid;

/// One row of the table, in pieces.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) sku: String,
    pub(crate) product_id: Uuid,
    pub(crate) version: i32,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    pub(crate) reorder_point: i64,
    pub(crate) updated_at: DateTime<Utc>,
}

impl Row {
    /// The row of an item that was just listed.
    pub(crate) fn listed(event: &stock::Listed, version: i32, at: DateTime<Utc>) -> Self {
        Self {
            sku: event.sku.to_string(),
            product_id: event.product_id.0,
            version,
            on_hand: 0,
            reserved: 0,
            reorder_point: 0,
            updated_at: at,
        }
    }

    /// Changes the row as one more event of its stream says. `None`: there are more pieces than can be counted.
    pub(crate) fn evolve(&mut self, event: &Event, version: i32, at: DateTime<Utc>) -> Option<()> {
        let (in_house, held): (i64, i64) = match event {
            Event::Listed(_) | Event::ReplenishmentNeeded(_) => (0, 0),
            Event::ReorderPointSet(set) => {
                self.reorder_point = set.quantity.into();
                (0, 0)
            }
            Event::Received(received) => (received.quantity.into(), 0),
            Event::Adjusted(adjusted) => (adjusted.delta, 0),
            Event::Restocked(restocked) => (restocked.quantity.into(), 0),
            Event::Reserved(reserved) => (0, reserved.quantity.into()),
            Event::Released(released) => (0, -i64::from(released.quantity)),
            Event::Shipped(shipped) => (-i64::from(shipped.quantity), -i64::from(shipped.quantity)),
        };
        self.on_hand = self.on_hand.checked_add(in_house)?;
        self.reserved = self.reserved.checked_add(held)?;
        self.version = version;
        self.updated_at = at;
        Some(())
    }
}

/// One row of the table of alerts.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Alert {
    pub(crate) position: i64,
    pub(crate) sku: String,
    pub(crate) available: i64,
    pub(crate) reorder_point: i64,
    pub(crate) raised_at: DateTime<Utc>,
}

impl Alert {
    pub(crate) fn raised(
        sku: &str,
        position: i64,
        event: &stock::ReplenishmentNeeded,
        at: DateTime<Utc>,
    ) -> Self {
        let (sku, reorder_point) = (sku.to_owned(), event.reorder_point.into());
        Self { position, sku, available: event.available, reorder_point, raised_at: at }
    }
}
