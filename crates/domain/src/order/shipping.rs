//! What sending costs.

use crate::money::Error;
use crate::{Currency, Money};

/// A tariff in minor units of its currency.
struct Tariff {
    standard: i64,
    free_from: i64,
    express: i64,
}

fn tariff(currency: Currency) -> Option<Tariff> {
    let (standard, free_from, express) = match currency.code() {
        "KRW" => (3_000, 50_000, 6_000),
        "JPY" => (600, 8_000, 1_200),
        "USD" => (900, 8_000, 2_500),
        "SGD" => (900, 8_000, 2_000),
        _ => return None,
    };
    Some(Tariff { standard, free_from, express })
}

/// The fee of a method for a subtotal. `None`: the method is not offered in this currency. Without a tariff `standard` is free;
/// `pickup` always is.
pub fn fee(method: &str, subtotal: Money) -> Result<Option<Money>, Error> {
    let of = |amount| Ok(Some(Money::new(amount, subtotal.currency)));
    match (method, tariff(subtotal.currency)) {
        ("pickup", _) | ("standard", None) => of(0),
        ("standard", Some(tariff)) => {
            of(if subtotal.amount >= tariff.free_from { 0 } else { tariff.standard })
        }
        ("express", Some(tariff)) => of(tariff.express),
        _ => Ok(None),
    }
}
