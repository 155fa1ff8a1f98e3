//! Streams: one per aggregate instance, named `category-key`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{CartId, CustomerId, NotificationId, OrderId, PaymentId, ProductId};
use crate::text::Sku;

/// What kind of aggregate a stream belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A customer.
    Customer,
    /// The claim of one customer on one e-mail address; keyed by the keyed hash of the address.
    Email,
    /// A product.
    Product,
    /// A stock item; keyed by SKU.
    Stock,
    /// A cart.
    Cart,
    /// An order.
    Order,
    /// A payment.
    Payment,
    /// A notice.
    Notification,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Customer,
        Self::Email,
        Self::Product,
        Self::Stock,
        Self::Cart,
        Self::Order,
        Self::Payment,
        Self::Notification,
    ];

    /// The prefix of its streams' names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Email => "email",
            Self::Product => "product",
            Self::Stock => "stock",
            Self::Cart => "cart",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Notification => "notification",
        }
    }

    /// The category with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }
}

/// The name of a stream, `category-key`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Category, Arc<str>);

impl StreamId {
    fn new(category: Category, key: impl std::fmt::Display) -> Self {
        Self(category, format!("{}-{key}", category.name()).into())
    }
    /// A customer's stream.
    pub fn customer(id: CustomerId) -> Self {
        Self::new(Category::Customer, id)
    }
    /// The stream of the claim on an e-mail address, by its index (see [`crate::customer::EmailIndex`]).
    pub fn email(index: &crate::customer::EmailIndex) -> Self {
        Self::new(Category::Email, index.as_str())
    }
    /// A product's stream.
    pub fn product(id: ProductId) -> Self {
        Self::new(Category::Product, id)
    }
    /// A stock item's stream.
    pub fn stock(sku: &Sku) -> Self {
        Self::new(Category::Stock, sku.as_str())
    }
    /// A cart's stream.
    pub fn cart(id: CartId) -> Self {
        Self::new(Category::Cart, id)
    }
    /// An order's stream.
    pub fn order(id: OrderId) -> Self {
        Self::new(Category::Order, id)
    }
    /// A payment's stream.
    pub fn payment(id: PaymentId) -> Self {
        Self::new(Category::Payment, id)
    }
    /// A notice's stream.
    pub fn notification(id: NotificationId) -> Self {
        Self::new(Category::Notification, id)
    }
    /// Its category.
    pub fn category(&self) -> Category {
        self.0
    }
    /// Its whole name.
    pub fn as_str(&self) -> &str {
        &self.1
    }
    /// What follows the category in its name.
    pub fn key(&self) -> &str {
        &self.1[self.0.name().len() + 1..]
    }
    /// Reads a name as it is stored. `None` when it is no stream's name.
    pub fn parse(name: &str) -> Option<Self> {
        let (category, key) = name.split_once('-')?;
        let category = Category::parse(category)?;
        (!key.is_empty()).then(|| Self(category, name.into()))
    }
}

impl std::fmt::Display for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.1)
    }
}
impl std::fmt::Debug for StreamId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.1)
    }
}
impl Serialize for StreamId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.1)
    }
}
impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| serde::de::Error::custom(format!("{name:?} is not a stream")))
    }
}
