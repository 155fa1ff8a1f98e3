//! Where and whom to reach.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{CountryCode, Email, Invalid, PersonName, Phone, bounded};

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Who receives it.
    pub recipient: PersonName,
    /// Street and number.
    #[schemars(length(min = 1, max = 200))]
    pub line1: String,
    /// Flat, floor, building.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 200))]
    pub line2: Option<String>,
    /// City.
    #[schemars(length(min = 1, max = 200))]
    pub city: String,
    /// Province or state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 200))]
    pub region: Option<String>,
    /// Postal code.
    #[schemars(length(min = 1, max = 20))]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: CountryCode,
}

impl Address {
    /// The address with its texts checked and in NFC: lines and city up to 200 characters, postal code up to 20.
    pub fn checked(self) -> Result<Self, Invalid> {
        let optional =
            |text: Option<String>, what| text.map(|text| bounded(what, &text, 1..=200)).transpose();
        Ok(Self {
            recipient: self.recipient,
            line1: bounded("line1", &self.line1, 1..=200)?,
            line2: optional(self.line2, "line2")?,
            city: bounded("city", &self.city, 1..=200)?,
            region: optional(self.region, "region")?,
            postal_code: bounded("postal_code", &self.postal_code, 1..=20)?,
            country: self.country,
        })
    }

    /// Whether its texts keep the rules.
    pub fn validate(&self) -> Result<(), Invalid> {
        self.clone().checked().map(drop)
    }
}

/// Whom to tell about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// E-mail.
    pub email: Email,
    /// Name.
    pub name: PersonName,
    /// Phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Phone")]
    pub phone: Option<Phone>,
}
