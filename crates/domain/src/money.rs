//! Money: whole minor units of one currency (ISO 4217), with checked arithmetic.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sum that cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The result does not fit 64 bits.
    #[error("the amount is too large")]
    Overflow,
    /// The two are not of one currency.
    #[error("{left} and {right} cannot be added")]
    Mixed {
        /// One currency.
        left: Currency,
        /// The other.
        right: Currency,
    },
    /// No such code.
    #[error("not a currency of ISO 4217")]
    UnknownCurrency,
}

/// A currency of ISO 4217. JSON: its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
// Not the list of codes: a new currency of the standard is no new schema of every event that holds money.
#[schemars(extend("pattern" = "^[A-Z]{3}$"))]
pub struct Currency(#[schemars(with = "String")] iso_currency::Currency);

impl Currency {
    /// South Korean won, the shop's own.
    pub const KRW: Self = Self(iso_currency::Currency::KRW);

    /// The currency with that code, in capitals.
    pub fn parse(code: &str) -> Result<Self, Error> {
        iso_currency::Currency::from_code(code).map(Self).ok_or(Error::UnknownCurrency)
    }
    /// Its code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }
    /// How many decimal places its minor unit has (ISO 4217 exponent): 0 for KRW and JPY, 2 for USD.
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

/// An amount in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units: won, yen, cents.
    pub amount: i64,
    /// Of this currency.
    pub currency: Currency,
}

impl Money {
    /// So many minor units.
    pub fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }
    /// Nothing.
    pub fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }
    /// More than nothing.
    pub fn is_positive(self) -> bool {
        self.amount > 0
    }

    fn same(self, other: Self) -> Result<(), Error> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(Error::Mixed { left: self.currency, right: other.currency })
    }
    fn with(self, amount: Option<i64>) -> Result<Self, Error> {
        Ok(Self { amount: amount.ok_or(Error::Overflow)?, ..self })
    }

    /// The sum.
    pub fn checked_add(self, other: Self) -> Result<Self, Error> {
        self.same(other)?;
        self.with(self.amount.checked_add(other.amount))
    }
    /// The difference; may be negative.
    pub fn checked_sub(self, other: Self) -> Result<Self, Error> {
        self.same(other)?;
        self.with(self.amount.checked_sub(other.amount))
    }
    /// So many times this.
    pub fn checked_mul(self, times: u32) -> Result<Self, Error> {
        self.with(self.amount.checked_mul(i64::from(times)))
    }

    /// `numerator / denominator` of it, halves rounded away from zero.
    pub fn share(self, numerator: u64, denominator: u64) -> Result<Self, Error> {
        if denominator == 0 {
            return Err(Error::Overflow);
        }
        // At most 2⁶³ × 2⁶⁴: nothing here can overflow before the last line.
        let denominator = u128::from(denominator);
        let product = u128::from(self.amount.unsigned_abs()) * u128::from(numerator);
        let rounded = product / denominator + u128::from(product % denominator * 2 >= denominator);
        let signed = i128::try_from(rounded).ok().map(|rounded| rounded * i128::from(self.amount.signum()));
        self.with(signed.and_then(|amount| i64::try_from(amount).ok()))
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exponent = self.currency.exponent() as usize;
        if exponent == 0 {
            return write!(f, "{} {}", self.amount, self.currency);
        }
        let unit = 10_u64.pow(exponent as u32);
        let (sign, amount) = (if self.amount < 0 { "-" } else { "" }, self.amount.unsigned_abs());
        write!(f, "{sign}{}.{:0exponent$} {}", amount / unit, amount % unit, self.currency)
    }
}
