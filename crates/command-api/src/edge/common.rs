//! Parts that several bodies share.

use axum::http::StatusCode;
use domain::order::Pieces;
use domain::text::{CountryCode, Email, PersonName, Phone, Sku};
use domain::{Address, Contact, Currency, Money};
use http_surface::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use super::parse::{checked, pieces_count, text};

/// An amount in minor units of its currency (ISO 4217 exponent).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Money)]
pub(crate) struct MoneyBody {
    /// Minor units: won, yen, cents.
    #[schema(example = 129_000)]
    amount: i64,
    /// ISO 4217.
    #[schema(example = "KRW")]
    currency: String,
}

impl MoneyBody {
    pub(crate) fn parse(&self, pointer: &str) -> Result<Money, Problem> {
        let currency = Currency::parse(&self.currency).map_err(|error| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-currency", error.to_string())
                .at(format!("{pointer}/currency"), error.to_string())
        })?;
        Ok(Money::new(self.amount, currency))
    }
}

/// Where to send to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Address)]
pub(crate) struct AddressBody {
    /// Who receives it.
    #[schema(example = "홍길동")]
    recipient: String,
    /// Street and number.
    #[schema(example = "세종대로 110")]
    line1: String,
    /// Flat, floor, building.
    line2: Option<String>,
    /// City.
    #[schema(example = "서울")]
    city: String,
    /// Province or state.
    region: Option<String>,
    /// Postal code.
    #[schema(example = "04524")]
    postal_code: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "KR")]
    country: String,
}

impl AddressBody {
    pub(crate) fn parse(&self, pointer: &str) -> Result<Address, Problem> {
        let at = |field: &str| format!("{pointer}/{field}");
        let line = |field: &'static str, value: &str| text(at(field), field, value, 200);
        let optional = |field: &'static str, value: &Option<String>| {
            value.as_deref().map(|value| line(field, value)).transpose()
        };
        Ok(Address {
            recipient: checked(at("recipient"), PersonName::parse(&self.recipient))?,
            line1: line("line1", &self.line1)?,
            line2: optional("line2", &self.line2)?,
            city: line("city", &self.city)?,
            region: optional("region", &self.region)?,
            postal_code: text(at("postal_code"), "postal_code", &self.postal_code, 20)?,
            country: checked(at("country"), CountryCode::parse(&self.country))?,
        })
    }
}

/// Whom to tell about an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Contact)]
pub(crate) struct ContactBody {
    /// E-mail.
    #[schema(example = "guest@example.com")]
    email: String,
    /// Name.
    #[schema(example = "홍길동")]
    name: String,
    /// Phone.
    #[schema(example = "+821012345678")]
    phone: Option<String>,
}

impl ContactBody {
    pub(crate) fn parse(&self, pointer: &str) -> Result<Contact, Problem> {
        let at = |field: &str| format!("{pointer}/{field}");
        Ok(Contact {
            email: checked(at("email"), Email::parse(&self.email))?,
            name: checked(at("name"), PersonName::parse(&self.name))?,
            phone: self
                .phone
                .as_deref()
                .map(|phone| checked(at("phone"), Phone::parse(phone)))
                .transpose()?,
        })
    }
}

/// Some pieces of one line.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Pieces)]
pub(crate) struct PiecesBody {
    /// What.
    #[schema(example = "NIKE-AIRMAX-270")]
    sku: String,
    /// How many.
    #[schema(example = 1, minimum = 1)]
    quantity: i64,
}

/// The pieces that are asked for; `None`: all that there are.
pub(crate) fn pieces(lines: Option<&[PiecesBody]>) -> Result<Option<Vec<Pieces>>, Problem> {
    let Some(lines) = lines else { return Ok(None) };
    let parse = |(index, line): (usize, &PiecesBody)| {
        Ok(Pieces {
            sku: checked(format!("/lines/{index}/sku"), Sku::parse(&line.sku))?,
            quantity: pieces_count(format!("/lines/{index}/quantity"), line.quantity)?,
        })
    };
    lines.iter().enumerate().map(parse).collect::<Result<_, _>>().map(Some)
}

/// Nothing: `{}`, or no body at all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}
