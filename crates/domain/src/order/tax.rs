//! The tax that a price contains.

use crate::Money;
use crate::money::Error;

/// Tax rate in percent by country of delivery. Prices contain it; deliveries elsewhere are exports without it.
///
/// KR: Value-Added Tax Act, article 30 (10 %). JP: consumption tax, 10 % since 2019-10-01. SG: Goods and Services Tax Act,
/// section 16 (9 % since 2024-01-01).
fn percent(country: &str) -> u64 {
    match country {
        "KR" | "JP" => 10,
        "SG" => 9,
        _ => 0,
    }
}

/// The tax contained in a gross amount that is delivered to a country (ISO 3166-1 alpha-2).
pub fn contained(gross: Money, country: &str) -> Result<Money, Error> {
    let percent = percent(country);
    gross.share(percent, 100 + percent)
}
