//! What comes in about customers.

use domain::customer::Profile;
use domain::text::{Email, Locale, PersonName, Phone};
use http_surface::Problem;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::edge::checked;

/// Somebody who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCustomer {
    /// E-mail; one account each.
    #[schema(example = "haneul@example.com")]
    email: String,
    /// 8 to 128 characters, whichever.
    #[schema(value_type = String, format = Password, example = "correct horse battery")]
    pub(super) password: SecretString,
    /// Name.
    #[schema(example = "김하늘")]
    name: String,
    /// Phone.
    #[schema(example = "+821012345678")]
    phone: Option<String>,
    /// The language of notices; `ko` when it is left out.
    #[schema(example = "ko")]
    locale: Option<String>,
}

impl NewCustomer {
    pub(super) fn parse(&self) -> Result<(Profile, Locale), Problem> {
        let profile = Profile {
            email: checked("/email", Email::parse(&self.email))?,
            name: checked("/name", PersonName::parse(&self.name))?,
            phone: self.phone.as_deref().map(phone).transpose()?,
        };
        Ok((profile, locale(self.locale.as_deref().unwrap_or("ko"))?))
    }
}

/// What changes; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileChange {
    /// New name.
    name: Option<String>,
    /// New phone.
    phone: Option<String>,
    /// New language of notices.
    locale: Option<String>,
}

/// A parsed change.
pub(super) struct Change {
    pub(super) name: Option<PersonName>,
    pub(super) phone: Option<Phone>,
    pub(super) locale: Option<Locale>,
}

impl ProfileChange {
    pub(super) fn parse(&self) -> Result<Change, Problem> {
        Ok(Change {
            name: self.name.as_deref().map(|name| checked("/name", PersonName::parse(name))).transpose()?,
            phone: self.phone.as_deref().map(phone).transpose()?,
            locale: self.locale.as_deref().map(locale).transpose()?,
        })
    }
}

fn phone(text: &str) -> Result<Phone, Problem> {
    checked("/phone", Phone::parse(text))
}

fn locale(text: &str) -> Result<Locale, Problem> {
    checked("/locale", Locale::parse(text))
}

/// A new customer.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is only read by OpenAPI")]
pub(crate) struct Registered {
    /// The customer.
    customer_id: uuid::Uuid,
}

/// A new entry of the address book.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is only read by OpenAPI")]
pub(crate) struct AddressAdded {
    /// The entry.
    address_id: uuid::Uuid,
}
