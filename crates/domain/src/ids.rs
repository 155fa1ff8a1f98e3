//! Identifiers. All are UUIDs (version 7 when made by this system); they are made at the edge, never here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }
        impl From<Uuid> for $name { fn from(id: Uuid) -> Self { Self(id) } }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )*};
}

ids! {
    /// A person with an account.
    CustomerId,
    /// A product of the catalogue.
    ProductId,
    /// A cart. A guest is known by the cart.
    CartId,
    /// An order.
    OrderId,
    /// A payment; one per order.
    PaymentId,
    /// One capture of a payment.
    CaptureId,
    /// One refund of a payment.
    RefundId,
    /// A dispute (chargeback) of a payment.
    DisputeId,
    /// A shipment of an order.
    ShipmentId,
    /// A return of an order.
    ReturnId,
    /// An address in a customer's book.
    AddressId,
    /// A notice to somebody.
    NotificationId,
    /// Whose key seals personal data: a customer, or the order of a guest.
    SubjectId,
}
