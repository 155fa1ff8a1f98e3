//! The state of any stream.

use serde::{Deserialize, Serialize};

use crate::{Category, Event, cart, customer, notification, order, payment, product, stock};

/// The state of a stream: a fold over its events. Holds no personal data, so that snapshots need no sealing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "category", content = "state", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, missing_docs)]
pub enum State {
    Customer(customer::State),
    Email(customer::email::State),
    Product(product::State),
    Stock(stock::State),
    Cart(cart::State),
    Order(order::State),
    Payment(payment::State),
    Notification(notification::State),
}

impl State {
    /// Which shape the serialised form has; a snapshot with another is ignored. Raise it with any change of a `State`.
    pub const SCHEMA_VERSION: u16 = 1;

    /// The state of a stream that nothing has happened to.
    pub fn initial(category: Category) -> Self {
        match category {
            Category::Customer => Self::Customer(Default::default()),
            Category::Email => Self::Email(Default::default()),
            Category::Product => Self::Product(Default::default()),
            Category::Stock => Self::Stock(Default::default()),
            Category::Cart => Self::Cart(Default::default()),
            Category::Order => Self::Order(Default::default()),
            Category::Payment => Self::Payment(Default::default()),
            Category::Notification => Self::Notification(Default::default()),
        }
    }

    /// The state after one more event. An event of another category changes nothing.
    #[must_use]
    pub fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Customer(state), Event::Customer(event)) => Self::Customer(customer::evolve(state, event)),
            (Self::Email(state), Event::Customer(event)) => {
                Self::Email(customer::email::evolve(state, event))
            }
            (Self::Product(state), Event::Product(event)) => Self::Product(product::evolve(state, event)),
            (Self::Stock(state), Event::Stock(event)) => Self::Stock(stock::evolve(state, event)),
            (Self::Cart(state), Event::Cart(event)) => Self::Cart(cart::evolve(state, event)),
            (Self::Order(state), Event::Order(event)) => Self::Order(order::evolve(state, event)),
            (Self::Payment(state), Event::Payment(event)) => Self::Payment(payment::evolve(state, event)),
            (Self::Notification(state), Event::Notification(event)) => {
                Self::Notification(notification::evolve(state, event))
            }
            (state, _) => state,
        }
    }
}
