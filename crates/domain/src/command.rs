//! Commands of all aggregates, the streams each needs, and the decision over them.

use crate::{
    Event, Refusal, State, StreamId, cart, checkout, customer, notification, order, payment, product, stock,
};

/// Anything that can be asked of the business.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, missing_docs)]
pub enum Command {
    Customer(customer::Command),
    Product(product::Command),
    Stock(stock::Command),
    Cart(cart::Command),
    Order(order::Command),
    Payment(payment::Command),
    Notification(notification::Command),
    /// Decisions across several aggregates.
    Checkout(checkout::Command),
}

/// The loaded states a decision may look at.
pub trait States {
    /// The state of a stream. `None`: it is not loaded yet (a stream without events is loaded as its initial state).
    fn get(&self, stream: &StreamId) -> Option<&State>;
}

impl States for std::collections::HashMap<StreamId, State> {
    fn get(&self, stream: &StreamId) -> Option<&State> {
        std::collections::HashMap::get(self, stream)
    }
}

/// What a command brings about: events for one or more streams, appended together or not at all. May be empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// In order; several for one stream are its next versions in this order.
    pub events: Vec<(StreamId, Event)>,
}

impl Decision {
    /// Events of one stream.
    pub fn on<E: Into<Event>>(stream: &StreamId, events: impl IntoIterator<Item = E>) -> Self {
        Self { events: events.into_iter().map(|event| (stream.clone(), event.into())).collect() }
    }
    /// Adds the events of another stream.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.events.extend(other.events);
        self
    }
}

impl Command {
    /// The streams whose states the decision needs, as far as they can be known from the states that are there:
    /// asked again after loading, until nothing new is named (an order's stock items are known from its cart).
    /// The first one named is the command's own stream: `If-Match` is about its version.
    pub fn streams(&self, states: &impl States) -> Vec<StreamId> {
        match self {
            Self::Customer(command) => command.streams(states),
            Self::Product(command) => command.streams(),
            Self::Stock(command) => command.streams(),
            Self::Cart(command) => command.streams(states),
            Self::Order(command) => vec![command.stream()],
            Self::Payment(command) => vec![command.stream()],
            Self::Notification(command) => vec![command.stream()],
            Self::Checkout(command) => command.streams(states),
        }
    }

    /// The streams that this command can only begin: its ids are new whenever it comes for the first time, and it is refused where
    /// one of them is there. Who decides may take them to be empty without a look, as long as the log refuses a second beginning.
    pub fn begins(&self) -> Vec<StreamId> {
        match self {
            Self::Customer(customer::Command::Register { customer_id, .. }) => {
                vec![StreamId::customer(*customer_id)]
            }
            Self::Product(product::Command::Create(created)) => vec![StreamId::product(created.product_id)],
            Self::Cart(cart::Command::Open { cart_id, .. }) => vec![StreamId::cart(*cart_id)],
            Self::Checkout(checkout::Command::PlaceOrder { order_id, payment_id, .. }) => {
                vec![StreamId::order(*order_id), StreamId::payment(*payment_id)]
            }
            Self::Notification(notification::Command::Request(requested)) => {
                vec![StreamId::notification(requested.notification_id)]
            }
            _ => Vec::new(),
        }
    }

    /// Decides. All streams of [`Command::streams`] must be loaded.
    ///
    /// # Errors
    /// The refusal, when a rule of the business forbids it; then nothing has happened.
    pub fn decide(&self, states: &impl States) -> Result<Decision, Refusal> {
        match self {
            Self::Customer(command) => customer::decide_over(states, command),
            Self::Product(command) => product::decide_over(states, command),
            Self::Stock(command) => stock::decide_over(states, command),
            Self::Cart(command) => cart::decide_over(states, command),
            Self::Order(command) => order::decide_over(states, command),
            Self::Payment(command) => payment::decide_over(states, command),
            Self::Notification(command) => notification::decide_over(states, command),
            Self::Checkout(command) => checkout::decide(states, command),
        }
    }
}
