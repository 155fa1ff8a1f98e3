//! Events of all aggregates: their stored names, schema versions, and how they are written and read.
//!
//! An event is stored as its type name, its schema version, the JSON of its payload without personal data, and, apart
//! from that, the JSON of its personal data with the subject whose key seals it.

use crate::ids::SubjectId;
use crate::{cart, customer, notification, order, payment, product, stock};

/// Stored JSON that does not fit its type, or a type that nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// No event has that name.
    #[error("no event type is called {0:?}")]
    UnknownType(String),
    /// It was written by a newer program.
    #[error("{name} has schema version {found}, newer than {known}")]
    Newer {
        /// Its type name.
        name: &'static str,
        /// What is stored.
        found: u16,
        /// What this program knows.
        known: u16,
    },
    /// Nothing turns that old schema version into the next one.
    #[error("{name} has schema version {version}, from which there is no upcaster")]
    NoUpcaster {
        /// Its type name.
        name: &'static str,
        /// The version that nothing leads on from.
        version: u16,
    },
    /// The JSON does not fit.
    #[error("{name} cannot be read: {source}")]
    Malformed {
        /// Its type name.
        name: &'static str,
        /// What serde says.
        source: serde_json::Error,
    },
}

/// The payload of one event type. `personal` stays out of the payload's own JSON (`#[serde(skip)]`).
pub trait Payload: serde::Serialize + serde::de::DeserializeOwned + schemars::JsonSchema {
    /// The JSON Schema of the personal data that it may carry. `None`: it never carries any.
    fn personal_schema() -> Option<schemars::Schema> {
        None
    }
    /// Whose personal data it carries, and that data as JSON. `None`: it carries none.
    fn personal(&self) -> Option<(SubjectId, Option<String>)> {
        None
    }
    /// Puts back the personal data after reading; `None`: it was forgotten.
    fn restore(&mut self, _personal: Option<&str>) -> Result<(), serde_json::Error> {
        Ok(())
    }
}

/// Declares an aggregate's `Event` enum: one variant per payload struct, each with its stored name and schema version.
#[macro_export]
macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $name:literal v $version:literal),* $(,)?) => {
        /// What happened here.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant)]
        pub enum Event { $($(#[$doc])* $variant($variant)),* }
        impl Event {
            /// The contracts of all these events, in their current schema versions.
            pub fn contracts(category: $crate::Category) -> Vec<$crate::contract::Contract> {
                vec![$($crate::contract::Contract::of::<$variant>(category, $name, $version)),*]
            }
            /// Stored names and current schema versions of all these events.
            pub const TYPES: &'static [(&'static str, u16)] = &[$(($name, $version)),*];
            /// Its stored name.
            pub fn type_name(&self) -> &'static str { match self { $(Self::$variant(_) => $name),* } }
            /// The schema version it is written in.
            pub fn schema_version(&self) -> u16 { match self { $(Self::$variant(_) => $version),* } }
            /// Its payload as JSON, without personal data.
            pub fn encode(&self) -> String {
                match self { $(Self::$variant(payload) => serde_json::to_string(payload)),* }
                    .unwrap_or_else(|error| unreachable!("payloads are plain data: {error}"))
            }
            /// Whose personal data it carries, and that data as JSON (`None` inside: forgotten).
            pub fn personal(&self) -> Option<($crate::ids::SubjectId, Option<String>)> {
                match self { $(Self::$variant(payload) => $crate::event::Payload::personal(payload)),* }
            }
            /// Reads a payload in the current schema version. `None`: the name is not one of these.
            pub fn decode(name: &str, data: &str, personal: Option<&str>) -> Option<Result<Self, $crate::event::Unreadable>> {
                match name {
                    $($name => Some(
                        serde_json::from_str::<$variant>(data)
                            .and_then(|mut payload| {
                                $crate::event::Payload::restore(&mut payload, personal)?;
                                Ok(Self::$variant(payload))
                            })
                            .map_err(|source| $crate::event::Unreadable::Malformed { name: $name, source }),
                    ),)*
                    _ => None,
                }
            }
        }
        $(impl From<$variant> for Event { fn from(payload: $variant) -> Self { Self::$variant(payload) } })*
    };
}

/// Implements [`Payload`] for payloads without personal data, or (`Type: subject, field`) with.
#[macro_export]
macro_rules! payloads {
    ($($plain:ident),* $(,)? ; $($sealed:ident),* $(,)?) => {
        $(impl $crate::event::Payload for $plain {})*
        $(impl $crate::event::Payload for $sealed {
            fn personal_schema() -> Option<schemars::Schema> {
                Some($crate::contract::schema_of_personal(|payload: &Self| &payload.personal))
            }
            fn personal(&self) -> Option<($crate::ids::SubjectId, Option<String>)> {
                let json = self.personal.known().map(|data| {
                    serde_json::to_string(data).unwrap_or_else(|error| unreachable!("personal data is plain data: {error}"))
                });
                Some((self.subject, json))
            }
            fn restore(&mut self, personal: Option<&str>) -> Result<(), serde_json::Error> {
                self.personal = match personal {
                    Some(json) => $crate::Personal::Known(serde_json::from_str(json)?),
                    None => $crate::Personal::Forgotten,
                };
                Ok(())
            }
        })*
    };
}

macro_rules! all {
    ($($(#[$doc:meta])* $variant:ident($module:ident)),* $(,)?) => {
        /// Any event.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant)]
        pub enum Event { $($(#[$doc])* $variant($module::Event)),* }
        impl Event {
            /// Stored names and current schema versions of all events.
            pub fn types() -> impl Iterator<Item = (&'static str, u16)> {
                [$($module::Event::TYPES),*].into_iter().flatten().copied()
            }
            /// The contracts of all events, in their current schema versions.
            pub fn contracts() -> Vec<$crate::contract::Contract> {
                [$($module::Event::contracts($crate::Category::$variant)),*].concat()
            }
            /// Its stored name.
            pub fn type_name(&self) -> &'static str { match self { $(Self::$variant(event) => event.type_name()),* } }
            /// The schema version it is written in.
            pub fn schema_version(&self) -> u16 { match self { $(Self::$variant(event) => event.schema_version()),* } }
            /// Its payload as JSON, without personal data.
            pub fn encode(&self) -> String { match self { $(Self::$variant(event) => event.encode()),* } }
            /// Whose personal data it carries, and that data as JSON (`None` inside: forgotten).
            pub fn personal(&self) -> Option<(SubjectId, Option<String>)> {
                match self { $(Self::$variant(event) => event.personal()),* }
            }
            /// Reads a stored event of any schema version: old shapes go through the upcasters of [`crate::history`].
            pub fn decode(name: &str, schema_version: u16, data: &str, personal: Option<&str>) -> Result<Self, Unreadable> {
                let upcast = $crate::history::upcast(name, schema_version, data)?;
                let (name, data) = upcast.as_ref().map_or((name, data), |(name, data)| (*name, data.as_str()));
                $(if let Some(result) = $module::Event::decode(name, data, personal) { return result.map(Self::$variant); })*
                Err(Unreadable::UnknownType(name.to_owned()))
            }
        }
        $(impl From<$module::Event> for Event { fn from(event: $module::Event) -> Self { Self::$variant(event) } })*
    };
}

all! {
    /// Of a customer, or of the claim on an e-mail address.
    Customer(customer),
    /// Of a product.
    Product(product),
    /// Of a stock item.
    Stock(stock),
    /// Of a cart.
    Cart(cart),
    /// Of an order.
    Order(order),
    /// Of a payment.
    Payment(payment),
    /// Of a notice.
    Notification(notification),
}
