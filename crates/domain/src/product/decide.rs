//! The rules of the catalogue.

use std::collections::BTreeMap;

use super::{Changed, Command, Created, Event, Published, State, Unpublished};
use crate::command::{Decision, States};
use crate::ids::ProductId;
use crate::text::bounded;
use crate::{Kind, Money, Refusal, StreamId, stock};

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Check the id. Problem `not-found`.
    #[error("there is no such product")]
    Unknown,
    /// Use another id. Problem `already-exists`.
    #[error("this product exists already")]
    Exists,
    /// Add a price first. Problem `price-required`.
    #[error("a product without a price cannot be on sale")]
    PriceRequired,
    /// Give prices above 0, one per currency. Problem `invalid-amount`.
    #[error("{0}")]
    Price(String),
    /// Mend the field. Problem `invalid-text`.
    #[error("{rule}")]
    Text {
        /// Which field.
        field: &'static str,
        /// The rule it breaks.
        rule: String,
    },
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Unknown => Self::new(Kind::NotFound, "not-found", detail),
            Error::Exists => Self::new(Kind::Conflict, "already-exists", detail),
            Error::PriceRequired => Self::new(Kind::Conflict, "price-required", detail).at("/prices"),
            Error::Price(_) => Self::new(Kind::Invalid, "invalid-amount", detail).at("/prices"),
            Error::Text { field, .. } => Self::new(Kind::Invalid, "invalid-text", detail).at(field),
        }
    }
}

/// Decides on one product. That its SKU is free is decided in [`decide_over`].
pub fn decide(state: &State, command: &Command) -> Result<Vec<Event>, Error> {
    match (state, command) {
        (State::Unknown, Command::Create(created)) => {
            check_created(created)?;
            Ok(vec![created.clone().into()])
        }
        (_, Command::Create(_)) => Err(Error::Exists),
        (State::Unknown, _) => Err(Error::Unknown),
        (_, Command::Change { change, .. }) if *change == Changed::default() => Ok(Vec::new()),
        (state, Command::Change { change, .. }) => {
            check_changed(change)?;
            if state.on_sale().is_some() && change.prices.as_ref().is_some_and(Vec::is_empty) {
                return Err(Error::PriceRequired);
            }
            Ok(vec![change.clone().into()])
        }
        (State::Draft(offer), Command::Publish { .. }) if offer.prices.is_empty() => {
            Err(Error::PriceRequired)
        }
        (State::Draft(_), Command::Publish { .. }) => Ok(vec![Published {}.into()]),
        (State::OnSale(_), Command::Unpublish { .. }) => Ok(vec![Unpublished {}.into()]),
        (State::OnSale(_), Command::Publish { .. }) | (State::Draft(_), Command::Unpublish { .. }) => {
            Ok(Vec::new())
        }
    }
}

fn check_created(created: &Created) -> Result<(), Error> {
    check_changed(&Changed {
        name: Some(created.name.clone()),
        description: None,
        category: Some(created.category.clone()),
        brand: created.brand.clone(),
        attributes: Some(created.attributes.clone()),
        prices: Some(created.prices.clone()),
        images: Some(created.images.clone()),
    })
}

fn check_changed(changed: &Changed) -> Result<(), Error> {
    if changed.name.as_ref().is_some_and(|name| name.iter().next().is_none()) {
        return Err(Error::Text {
            field: "/name",
            rule: "a name in at least one language is needed".to_owned(),
        });
    }
    if let Some(category) = &changed.category {
        check_text("/category", "a category", category, 1..=200)?;
    }
    if let Some(brand) = &changed.brand {
        check_text("/brand", "a brand", brand, 1..=100)?;
    }
    changed.attributes.as_ref().map_or(Ok(()), check_attributes)?;
    changed.images.as_deref().map_or(Ok(()), check_images)?;
    changed.prices.as_deref().map_or(Ok(()), check_prices)
}

fn check_text(
    field: &'static str,
    what: &'static str,
    text: &str,
    range: std::ops::RangeInclusive<usize>,
) -> Result<(), Error> {
    bounded(what, text, range).map(drop).map_err(|invalid| Error::Text { field, rule: invalid.to_string() })
}

fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), Error> {
    if attributes.len() > 50 {
        return Err(Error::Text { field: "/attributes", rule: "at most 50 attributes".to_owned() });
    }
    attributes.iter().try_for_each(|(key, value)| {
        check_text("/attributes", "an attribute's name", key, 1..=100)?;
        check_text("/attributes", "an attribute's value", value, 1..=500)
    })
}

fn check_images(images: &[String]) -> Result<(), Error> {
    let fits = |image: &String| {
        image.len() <= 2_000 && image.starts_with("https://") && !image.contains(char::is_control)
    };
    if images.len() > 50 || !images.iter().all(fits) {
        return Err(Error::Text {
            field: "/images",
            rule: "at most 50 https addresses of at most 2,000 bytes".to_owned(),
        });
    }
    Ok(())
}

fn check_prices(prices: &[Money]) -> Result<(), Error> {
    for (index, price) in prices.iter().enumerate() {
        if !price.is_positive() {
            return Err(Error::Price(format!("a price must be above 0, not {price}")));
        }
        if prices[..index].iter().any(|other| other.currency == price.currency) {
            return Err(Error::Price(format!("there are two prices in {}", price.currency)));
        }
    }
    Ok(())
}

/// The loaded state of a product.
///
/// # Errors
/// When it is not loaded, which only a command that does not name all its streams can bring about.
pub fn state_of(states: &impl States, product_id: ProductId) -> Result<&State, Refusal> {
    match states.get(&StreamId::product(product_id)) {
        Some(crate::State::Product(state)) => Ok(state),
        _ => Err(Refusal::not_loaded()),
    }
}

/// Decides among loaded states; a new product lists its SKU as a stock item in the same decision.
pub fn decide_over(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    let product_id = command.product_id();
    let own = Decision::on(&StreamId::product(product_id), decide(state_of(states, product_id)?, command)?);
    let Command::Create(created) = command else { return Ok(own) };
    let list = stock::Command { sku: created.sku.clone(), action: stock::Action::List { product_id } };
    Ok(own.and(stock::decide_over(states, &list)?))
}
