//! What happens to customers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EmailIndex, Profile};
use crate::ids::{AddressId, CustomerId, SubjectId};
use crate::text::{Locale, PersonName, Phone};
use crate::{Address, Personal, events, payloads};

/// An account was opened. Stream `customer-…`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// The customer.
    pub customer_id: CustomerId,
    /// Whose key seals `personal`.
    pub subject: SubjectId,
    /// The keyed hash of the e-mail address.
    pub email_index: EmailIndex,
    /// The language of notices.
    pub locale: Locale,
    /// E-mail, name, phone.
    #[serde(skip)]
    pub personal: Personal<Profile>,
}

/// What a profile change may set; `None` leaves it as it was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ProfileEdit {
    /// A new name.
    pub name: Option<PersonName>,
    /// A new phone number.
    pub phone: Option<Phone>,
}

/// The profile was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileChanged {
    /// The customer.
    pub customer_id: CustomerId,
    /// Whose key seals `personal`.
    pub subject: SubjectId,
    /// The new language, when it changed.
    pub locale: Option<Locale>,
    /// What else changed.
    #[serde(skip)]
    pub personal: Personal<ProfileEdit>,
}

/// An address was added to the book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressAdded {
    /// The customer.
    pub customer_id: CustomerId,
    /// The entry.
    pub address_id: AddressId,
    /// Whose key seals `personal`.
    pub subject: SubjectId,
    /// The address.
    #[serde(skip)]
    pub personal: Personal<Address>,
}

/// The customer asked to be forgotten: the key is destroyed next, and with it all personal data of theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forgotten {
    /// The customer.
    pub customer_id: CustomerId,
    /// Whose key must be destroyed.
    pub subject: SubjectId,
}

/// An e-mail address is taken by a customer. Stream `email-…`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmailClaimed {
    /// Who has it.
    pub customer_id: CustomerId,
}

/// An e-mail address is free again. Stream `email-…`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EmailReleased {
    /// Who had it.
    pub customer_id: CustomerId,
}

events! {
    /// An account was opened.
    Registered = "CustomerRegistered" v 1,
    /// The profile was changed.
    ProfileChanged = "CustomerProfileChanged" v 1,
    /// An address was added.
    AddressAdded = "CustomerAddressAdded" v 1,
    /// The customer asked to be forgotten.
    Forgotten = "CustomerForgotten" v 1,
    /// An e-mail address was taken.
    EmailClaimed = "EmailClaimed" v 1,
    /// An e-mail address was given back.
    EmailReleased = "EmailReleased" v 1,
}
payloads!(Forgotten, EmailClaimed, EmailReleased; Registered, ProfileChanged, AddressAdded);
