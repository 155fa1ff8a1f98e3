//! Ranges of prices that products are counted in: round figures of each currency.

use domain::Currency;

/// Where the ranges begin, in minor units; below the first there is one more.
pub fn bounds(currency: Currency) -> Vec<i64> {
    let unit = match currency.code() {
        "KRW" => 1_000,
        "JPY" => 100,
        _ => 10_i64.pow(currency.exponent()),
    };
    [10, 25, 50, 100, 200, 500, 1_000].map(|bound| bound * unit).to_vec()
}

/// The number of the range that an amount is in, as PostgreSQL's `width_bucket` numbers them.
pub(super) fn number(amount: i64, currency: Currency) -> usize {
    bounds(currency).partition_point(|bound| *bound <= amount)
}

/// The least and the greatest amount of a range, where it has one.
pub fn range(number: usize, currency: Currency) -> (Option<i64>, Option<i64>) {
    let bounds = bounds(currency);
    let least = number.checked_sub(1).and_then(|below| bounds.get(below).copied());
    (least, bounds.get(number).map(|bound| bound - 1))
}
