//! The shapes of the domain's own value types in OpenAPI. The domain itself knows nothing of HTTP.

#![allow(dead_code, reason = "they only describe what the domain's types serialise to")]

use utoipa::ToSchema;

/// An amount of money in minor units.
#[derive(ToSchema)]
pub struct Money {
    /// Minor units (ISO 4217 exponent): won for KRW, cents for USD.
    #[schema(example = 129_000)]
    pub amount: i64,
    /// ISO 4217 code.
    #[schema(example = "KRW")]
    pub currency: String,
}

/// Some pieces of one line.
#[derive(ToSchema)]
pub struct Pieces {
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: u32,
}

/// Whom to reach.
#[derive(ToSchema)]
pub struct Contact {
    /// E-mail address.
    pub email: String,
    /// Name.
    pub name: String,
    /// Phone number.
    pub phone: Option<String>,
}

/// Where to send to.
#[derive(ToSchema)]
pub struct Address {
    /// Who receives it there.
    pub recipient: String,
    /// Street and number.
    pub line1: String,
    /// Flat, floor, building.
    pub line2: Option<String>,
    /// City.
    pub city: String,
    /// Province or state.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "KR")]
    pub country: String,
}
