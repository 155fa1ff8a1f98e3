//! How carts are asked for.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::ids::{CartId, OrderId, ProductId};
use domain::text::{Locale, LocalisedText, Sku};
use domain::{Currency, Money, Owner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::row::{Item, Row};
use crate::Reads;
use crate::orders::{owner_of, schema};

/// A cart, as its buyer sees it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Cart {
    /// The cart.
    #[schema(value_type = Uuid)]
    pub cart_id: CartId,
    /// The version of its stream: the `ETag`.
    pub version: u32,
    /// Whose it is.
    #[serde(skip)]
    #[schema(ignore)]
    pub owner: Owner,
    /// `open` or `checked_out`.
    #[schema(example = "open")]
    pub status: String,
    /// The order it became.
    #[schema(value_type = Option<Uuid>)]
    pub order_id: Option<OrderId>,
    /// The currency of all its prices (ISO 4217).
    #[schema(value_type = String, example = "KRW")]
    pub currency: Currency,
    /// The language of its buyer.
    #[schema(value_type = String, example = "ko")]
    pub locale: Locale,
    /// What is in it, in the order in which it came in.
    pub items: Vec<CartItem>,
    /// What those of its items that are on sale cost today, without sending them; `null` when that is too much to add up.
    #[schema(value_type = Option<schema::Money>)]
    pub subtotal: Option<Money>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Some pieces of one SKU, with what they cost today.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CartItem {
    /// What.
    #[schema(value_type = String, example = "AIR-MAX-270")]
    pub sku: Sku,
    /// Its product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// Pieces.
    pub quantity: u32,
    /// Its name by language.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub name: LocalisedText,
    /// Price of one piece, tax included; `null` when it is no longer on sale, or not in this currency.
    #[schema(value_type = Option<schema::Money>)]
    pub unit_price: Option<Money>,
    /// `unit_price × quantity`.
    #[schema(value_type = Option<schema::Money>)]
    pub total: Option<Money>,
}

/// What is offered today under a SKU, on sale or not.
#[derive(Deserialize)]
struct Offer {
    name: LocalisedText,
    /// In minor units of the cart's currency; `None`: not on sale, or not in it.
    price: Option<i64>,
}

/// A cart with what is offered under its SKUs: one statement, so that the two are of the same moment.
#[derive(sqlx::FromRow)]
struct Found {
    #[sqlx(flatten)]
    row: Row,
    #[sqlx(json)]
    offers: HashMap<String, Offer>,
}

/// One cart.
pub async fn find(pool: impl Reads<'_>, cart_id: CartId) -> Result<Option<Cart>, sqlx::Error> {
    let found: Option<Found> = sqlx::query_as(
        "SELECT cart_id, version, owner_kind, owner_id, status, order_id, currency, locale, items, opened_at, \
         updated_at, coalesce( \
             (SELECT jsonb_object_agg(p.sku, jsonb_build_object( \
                         'name', p.name, 'price', CASE WHEN p.published THEN p.prices -> c.currency END)) \
                FROM jsonb_array_elements(c.items) item JOIN products p ON p.sku = item ->> 'sku'), \
             '{}') AS offers \
           FROM carts c WHERE cart_id = $1",
    )
    .bind(cart_id.0)
    .fetch_optional(pool)
    .await?;
    let cart = found.map(|found| cart(found.row, &found.offers)).transpose();
    cart.map_err(|error| sqlx::Error::Decode(error.into()))
}

/// Whose a cart is. `None`: there is none.
pub async fn owner(pool: impl Reads<'_>, cart_id: CartId) -> Result<Option<Owner>, sqlx::Error> {
    let found: Option<(String, Uuid)> =
        sqlx::query_as("SELECT owner_kind, owner_id FROM carts WHERE cart_id = $1")
            .bind(cart_id.0)
            .fetch_optional(pool)
            .await?;
    Ok(found.map(|(kind, id)| owner_of(&kind, id)))
}

/// A stored code that this program does not know.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error(transparent)]
    Currency(#[from] domain::money::Error),
    #[error(transparent)]
    Locale(#[from] domain::text::Invalid),
}

fn cart(row: Row, offers: &HashMap<String, Offer>) -> Result<Cart, Unknown> {
    let currency = Currency::parse(&row.currency)?;
    let items: Vec<CartItem> = row.items.into_iter().map(|item| priced(item, currency, offers)).collect();
    let subtotal = items
        .iter()
        .filter(|item| item.unit_price.is_some())
        .try_fold(Money::zero(currency), |sum, item| sum.checked_add(item.total?).ok());
    Ok(Cart {
        cart_id: row.cart_id.into(),
        version: row.version as u32,
        owner: owner_of(&row.owner_kind, row.owner_id),
        status: row.status,
        order_id: row.order_id.map(OrderId),
        currency,
        locale: Locale::parse(&row.locale)?,
        items,
        subtotal,
        updated_at: row.updated_at,
    })
}

fn priced(item: Item, currency: Currency, offers: &HashMap<String, Offer>) -> CartItem {
    let offer = offers.get(item.sku.as_str());
    let unit_price = offer.and_then(|offer| offer.price).map(|amount| Money::new(amount, currency));
    CartItem {
        name: offer.map(|offer| offer.name.clone()).unwrap_or_default(),
        total: unit_price.and_then(|price| price.checked_mul(item.quantity).ok()),
        unit_price,
        sku: item.sku,
        product_id: item.product_id,
        quantity: item.quantity,
    }
}
