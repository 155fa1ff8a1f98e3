//! One cart as it is stored, and how each event of its stream changes it.

use chrono::{DateTime, Utc};
use domain::cart::{self, Event};
use domain::ids::ProductId;
use domain::text::Sku;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::orders::owner_columns;

/// Some pieces of one SKU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) sku: Sku,
    pub(crate) product_id: ProductId,
    pub(crate) quantity: u32,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) cart_id: Uuid,
    pub(crate) version: i32,
    pub(crate) owner_kind: String,
    pub(crate) owner_id: Uuid,
    pub(crate) status: String,
    pub(crate) order_id: Option<Uuid>,
    pub(crate) currency: String,
    pub(crate) locale: String,
    /// In the order in which they came in.
    #[sqlx(json)]
    pub(crate) items: Vec<Item>,
    pub(crate) opened_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl Row {
    /// The row of a cart that was just opened.
    pub(crate) fn opened(event: &cart::Opened, version: i32, at: DateTime<Utc>) -> Self {
        let (owner_kind, owner_id) = owner_columns(event.owner);
        Self {
            cart_id: event.cart_id.0,
            version,
            owner_kind: owner_kind.to_owned(),
            owner_id,
            status: "open".to_owned(),
            order_id: None,
            currency: event.currency.code().to_owned(),
            locale: event.locale.to_string(),
            items: Vec::new(),
            opened_at: at,
            updated_at: at,
        }
    }

    /// The row after one more event of its stream.
    pub(crate) fn evolve(mut self, event: &Event, version: i32, at: DateTime<Utc>) -> Self {
        match event {
            Event::Opened(_) => {}
            Event::ItemSet(set) => self.set(set),
            Event::ItemRemoved(removed) => self.items.retain(|item| item.sku != removed.sku),
            Event::CheckedOut(out) => {
                "checked_out".clone_into(&mut self.status);
                self.order_id = Some(out.order_id.0);
            }
        }
        self.version = version;
        self.updated_at = at;
        self
    }

    fn set(&mut self, set: &cart::ItemSet) {
        let item = Item { sku: set.sku.clone(), product_id: set.product_id, quantity: set.quantity };
        match self.items.iter_mut().find(|known| known.sku == set.sku) {
            Some(known) => *known = item,
            None => self.items.push(item),
        }
    }
}
