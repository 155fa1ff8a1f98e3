//! What a decision needs to know of a product.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::text::{LocalisedText, Sku};
use crate::{Currency, Money};

/// What a decision needs to know of a product. Descriptions and images stay out of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum State {
    /// Not there yet.
    #[default]
    Unknown,
    /// In the catalogue, not on sale.
    Draft(Offer),
    /// On sale.
    OnSale(Offer),
}

/// What is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Its SKU.
    pub sku: Sku,
    /// Its names.
    pub name: LocalisedText,
    /// One price per currency.
    pub prices: Vec<Money>,
}

impl State {
    /// What is offered, on sale or not.
    pub fn offer(&self) -> Option<&Offer> {
        match self {
            Self::Unknown => None,
            Self::Draft(offer) | Self::OnSale(offer) => Some(offer),
        }
    }
    /// What is on sale.
    pub fn on_sale(&self) -> Option<&Offer> {
        match self {
            Self::OnSale(offer) => Some(offer),
            _ => None,
        }
    }
}

impl Offer {
    /// Its price in a currency.
    pub fn price(&self, currency: Currency) -> Option<Money> {
        self.prices.iter().copied().find(|price| price.currency == currency)
    }
}

/// The state after one more event.
#[must_use]
pub fn evolve(state: State, event: &Event) -> State {
    let change = |mut offer: Offer, changed: &super::Changed| {
        if let Some(name) = &changed.name {
            offer.name = name.clone();
        }
        if let Some(prices) = &changed.prices {
            offer.prices = prices.clone();
        }
        offer
    };
    match (state, event) {
        (_, Event::Created(created)) => State::Draft(Offer {
            sku: created.sku.clone(),
            name: created.name.clone(),
            prices: created.prices.clone(),
        }),
        (State::Draft(offer), Event::Changed(changed)) => State::Draft(change(offer, changed)),
        (State::OnSale(offer), Event::Changed(changed)) => State::OnSale(change(offer, changed)),
        (State::Draft(offer), Event::Published(_)) => State::OnSale(offer),
        (State::OnSale(offer), Event::Unpublished(_)) => State::Draft(offer),
        (state, _) => state,
    }
}
