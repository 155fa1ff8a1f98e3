//! What can be asked of customers.

use super::{EmailIndex, Profile};
use crate::Address;
use crate::ids::{AddressId, CustomerId};
use crate::text::{Locale, PersonName, Phone};

/// What can be asked of customers.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open an account. Needs the customer's and the e-mail claim's stream.
    Register {
        /// A new id.
        customer_id: CustomerId,
        /// The keyed hash of the address in `profile`.
        email_index: EmailIndex,
        /// The language of notices.
        locale: Locale,
        /// E-mail, name, phone.
        profile: Profile,
    },
    /// Change name, phone or language; `None` leaves it.
    ChangeProfile {
        /// Who.
        customer_id: CustomerId,
        /// New name.
        name: Option<PersonName>,
        /// New phone.
        phone: Option<Phone>,
        /// New language.
        locale: Option<Locale>,
    },
    /// Add an address to the book (at most 50).
    AddAddress {
        /// Who.
        customer_id: CustomerId,
        /// A new id.
        address_id: AddressId,
        /// The address.
        address: Address,
    },
    /// Forget this person: releases the e-mail address; the key's destruction follows the event.
    Forget {
        /// Who.
        customer_id: CustomerId,
    },
}
