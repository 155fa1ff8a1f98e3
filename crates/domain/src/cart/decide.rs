//! The rules of carts.

use super::{Command, Event, Item, ItemRemoved, ItemSet, Open, Opened, State};
use crate::command::{Decision, States};
use crate::ids::{CartId, ProductId};
use crate::{Actor, Kind, Refusal, StreamId, product, stock};

/// No line has more pieces.
const QUANTITY_MAX: u32 = 9_999;
/// No cart has more different SKUs.
const ITEMS_MAX: usize = 1_000;

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Check the id; somebody else's cart is answered alike. Problem `not-found`.
    #[error("there is no such cart")]
    Unknown,
    /// Use another id. Problem `already-exists`.
    #[error("this cart exists already")]
    Exists,
    /// Open another cart. Problem `cart-closed`.
    #[error("this cart has become an order")]
    Closed,
    /// Give 1 to 9,999 pieces. Problem `invalid-quantity`.
    #[error("a line has 1 to {QUANTITY_MAX} pieces, not {0}")]
    Quantity(u32),
    /// Split the purchase. Problem `too-many-items`.
    #[error("a cart has at most {ITEMS_MAX} different SKUs")]
    TooManyItems,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::Unknown => Self::new(Kind::NotFound, "not-found", detail),
            Error::Exists => Self::new(Kind::Conflict, "already-exists", detail),
            Error::Closed => Self::new(Kind::Conflict, "cart-closed", detail),
            Error::Quantity(_) => Self::new(Kind::Invalid, "invalid-quantity", detail).at("/quantity"),
            Error::TooManyItems => Self::new(Kind::Conflict, "too-many-items", detail),
        }
    }
}

/// Decides on the cart alone. What SKU it is and whether it is on sale is decided in [`decide_over`], which passes the
/// product in.
pub fn decide(state: &State, command: &Command, product: Option<ProductId>) -> Result<Vec<Event>, Error> {
    match command {
        Command::Open { cart_id, owner, currency, locale } => match state {
            State::Unknown => {
                let (cart_id, owner, currency, locale) = (*cart_id, *owner, *currency, locale.clone());
                Ok(vec![Opened { cart_id, owner, currency, locale }.into()])
            }
            _ => Err(Error::Exists),
        },
        Command::SetItem { by, sku, quantity, .. } => {
            let open = open_for(state, by)?;
            if !(1..=QUANTITY_MAX).contains(quantity) {
                return Err(Error::Quantity(*quantity));
            }
            if !open.items.contains_key(sku) && open.items.len() >= ITEMS_MAX {
                return Err(Error::TooManyItems);
            }
            let Some(product_id) = product else { return Err(Error::Unknown) };
            if open.items.get(sku) == Some(&Item { product_id, quantity: *quantity }) {
                return Ok(Vec::new());
            }
            Ok(vec![ItemSet { sku: sku.clone(), product_id, quantity: *quantity }.into()])
        }
        Command::RemoveItem { by, sku, .. } => {
            let open = open_for(state, by)?;
            Ok(open
                .items
                .contains_key(sku)
                .then(|| ItemRemoved { sku: sku.clone() }.into())
                .into_iter()
                .collect())
        }
    }
}

/// The open cart, for somebody who may change it.
fn open_for<'a>(state: &'a State, by: &Actor) -> Result<&'a Open, Error> {
    if !state.owner().is_some_and(|owner| owner.admits(by)) {
        return Err(Error::Unknown);
    }
    match state {
        State::Open(open) => Ok(open),
        _ => Err(Error::Closed),
    }
}

/// The loaded state of a cart.
///
/// # Errors
/// When it is not loaded, which only a command that does not name all its streams can bring about.
pub fn state_of(states: &impl States, cart_id: CartId) -> Result<&State, Refusal> {
    match states.get(&StreamId::cart(cart_id)) {
        Some(crate::State::Cart(state)) => Ok(state),
        _ => Err(Refusal::not_loaded()),
    }
}

/// Decides among loaded states: only what is on sale in the cart's currency can be put in.
pub fn decide_over(states: &impl States, command: &Command) -> Result<Decision, Refusal> {
    let stream = StreamId::cart(command.cart_id());
    let state = state_of(states, command.cart_id())?;
    let Command::SetItem { by, sku, .. } = command else {
        return Ok(Decision::on(&stream, decide(state, command, None)?));
    };
    // Whose cart it is comes first: nobody learns anything about SKUs through a cart that is not theirs.
    let open = open_for(state, by)?;
    let Some(product_id) = stock::state_of(states, sku)?.product_id() else {
        return Err(Refusal::new(
            Kind::NotFound,
            "unknown-sku",
            format!("there is no SKU {:?}", sku.as_str()),
        ));
    };
    let Some(offer) = product::state_of(states, product_id)?.on_sale() else {
        return Err(Refusal::new(Kind::Conflict, "not-for-sale", format!("{sku} is not on sale")));
    };
    if offer.price(open.currency).is_none() {
        return Err(Refusal::new(
            Kind::Conflict,
            "no-price",
            format!("{sku} has no price in {}", open.currency),
        ));
    }
    Ok(Decision::on(&stream, decide(state, command, Some(product_id))?))
}
