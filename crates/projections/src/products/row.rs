//! One product as it is kept, and how each event of its stream changes it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::Money;
use domain::product::{Changed, Created, Event};
use domain::text::LocalisedText;
use sqlx::FromRow;
use uuid::Uuid;

/// A row of `products`, without what only orders change.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Row {
    pub(super) product_id: Uuid,
    pub(super) sku: String,
    pub(super) version: i32,
    pub(super) published: bool,
    pub(super) category: String,
    pub(super) brand: Option<String>,
    #[sqlx(json)]
    pub(super) name: LocalisedText,
    #[sqlx(json)]
    pub(super) description: LocalisedText,
    #[sqlx(json)]
    pub(super) attributes: BTreeMap<String, String>,
    #[sqlx(json)]
    pub(super) prices: BTreeMap<String, i64>,
    #[sqlx(json)]
    pub(super) images: Vec<String>,
    /// Changed by the events of stock only, and never written with the rest.
    pub(super) available: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

impl Row {
    pub(super) fn created(event: &Created, version: i32, at: DateTime<Utc>) -> Self {
        Self {
            product_id: event.product_id.0,
            sku: event.sku.as_str().to_owned(),
            version,
            published: false,
            category: event.category.clone(),
            brand: event.brand.clone(),
            name: event.name.clone(),
            description: event.description.clone(),
            attributes: event.attributes.clone(),
            prices: by_currency(&event.prices),
            images: event.images.clone(),
            available: 0,
            created_at: at,
            updated_at: at,
        }
    }

    pub(super) fn evolve(mut self, event: &Event, version: i32, at: DateTime<Utc>) -> Self {
        (self.version, self.updated_at) = (version, at);
        match event {
            // A product is added once.
            Event::Created(_) => {}
            Event::Changed(changed) => self.change(changed),
            Event::Published(_) => self.published = true,
            Event::Unpublished(_) => self.published = false,
        }
        self
    }

    fn change(&mut self, changed: &Changed) {
        let Changed { name, description, category, brand, attributes, prices, images } = changed;
        replace(&mut self.name, name.as_ref());
        replace(&mut self.description, description.as_ref());
        replace(&mut self.category, category.as_ref());
        replace(&mut self.attributes, attributes.as_ref());
        replace(&mut self.images, images.as_ref());
        if brand.is_some() {
            self.brand.clone_from(brand);
        }
        if let Some(prices) = prices {
            self.prices = by_currency(prices);
        }
    }
}

fn replace<T: Clone>(mine: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        mine.clone_from(new);
    }
}

/// One price per currency: the domain allows no second.
fn by_currency(prices: &[Money]) -> BTreeMap<String, i64> {
    prices.iter().map(|price| (price.currency.code().to_owned(), price.amount)).collect()
}
