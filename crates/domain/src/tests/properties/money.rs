//! Money is exact or refused.

use proptest::prelude::*;

use super::super::examples::{krw, usd};
use super::cases;
use crate::money::Error;
use crate::{Currency, Money};

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn sums_are_exact_or_refused(a in any::<i64>(), b in any::<i64>()) {
        let exact = |wide: i128| i64::try_from(wide).map(krw).map_err(|_| Error::Overflow);
        prop_assert_eq!(krw(a).checked_add(krw(b)), exact(i128::from(a) + i128::from(b)));
        prop_assert_eq!(krw(a).checked_sub(krw(b)), exact(i128::from(a) - i128::from(b)));
        prop_assert_eq!(krw(a).checked_add(krw(b)), krw(b).checked_add(krw(a)));
    }

    #[test]
    fn sums_do_not_depend_on_their_order(a in -1_i64<<60..1<<60, b in -1_i64<<60..1<<60, c in -1_i64<<60..1<<60) {
        let left = krw(a).checked_add(krw(b)).and_then(|sum| sum.checked_add(krw(c)));
        let right = krw(b).checked_add(krw(c)).and_then(|sum| krw(a).checked_add(sum));
        prop_assert!(left.is_ok());
        prop_assert_eq!(left, right);
    }

    #[test]
    fn products_are_exact_or_refused(amount in any::<i64>(), times in any::<u32>()) {
        let wide = i128::from(amount) * i128::from(times);
        prop_assert_eq!(krw(amount).checked_mul(times), i64::try_from(wide).map(krw).map_err(|_| Error::Overflow));
    }

    #[test]
    fn currencies_do_not_mix(a in any::<i64>(), b in any::<i64>()) {
        let mixed = Error::Mixed { left: Currency::KRW, right: usd(0).currency };
        prop_assert_eq!(krw(a).checked_add(usd(b)), Err(mixed));
        prop_assert_eq!(krw(a).checked_sub(usd(b)), Err(mixed));
    }

    #[test]
    fn a_share_never_exceeds_the_whole(amount in any::<i64>(), part in any::<u64>(), rest in any::<u64>()) {
        let whole = part.saturating_add(rest).max(1);
        let share = krw(amount).share(part, whole).unwrap();
        prop_assert!(share.amount.unsigned_abs() <= amount.unsigned_abs());
        prop_assert!(share.amount == 0 || share.amount.signum() == amount.signum());
    }

    #[test]
    fn a_share_is_off_by_at_most_half_a_unit(amount in -1_i64<<40..1<<40, part in 0_u64..1<<20, whole in 1_u64..1<<20) {
        let share = i128::from(krw(amount).share(part, whole).unwrap().amount);
        let error = share * i128::from(whole) - i128::from(amount) * i128::from(part);
        prop_assert!(2 * error.abs() <= i128::from(whole));
    }

    #[test]
    fn any_share_can_be_asked_for(amount in any::<i64>(), part in any::<u64>(), whole in any::<u64>()) {
        match krw(amount).share(part, whole) {
            Ok(_) => prop_assert!(whole > 0),
            Err(error) => prop_assert_eq!(error, Error::Overflow),
        }
    }

    #[test]
    fn money_is_written_with_its_decimal_places(amount in any::<i64>()) {
        prop_assert_eq!(krw(amount).to_string(), format!("{amount} KRW"));
        let dollars = usd(amount).to_string();
        let digits: String = dollars.chars().filter(|c| c.is_ascii_digit() || *c == '-').collect();
        prop_assert_eq!(digits.parse::<i64>().unwrap(), amount);
        prop_assert_eq!(dollars.find('.'), Some(dollars.len() - "00 USD".len() - 1));
    }

    #[test]
    fn money_is_read_back(amount in any::<i64>()) {
        let json = serde_json::to_string(&usd(amount)).unwrap();
        prop_assert_eq!(&json, &format!(r#"{{"amount":{amount},"currency":"USD"}}"#));
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), usd(amount));
    }
}

#[test]
fn halves_are_rounded_away_from_zero() {
    for (amount, part, whole, share) in [
        (1, 1, 2, 1),
        (-1, 1, 2, -1),
        (3, 1, 2, 2),
        (10, 1, 4, 3),
        (9, 1, 4, 2),
        (1_000, 10, 110, 91),
        (5, 0, 7, 0),
    ] {
        assert_eq!(krw(amount).share(part, whole), Ok(krw(share)), "{amount} × {part} / {whole}");
    }
    assert_eq!(krw(1).share(1, 0), Err(Error::Overflow));
    assert_eq!(krw(i64::MIN).share(u64::MAX, u64::MAX), Ok(krw(i64::MIN)));
}

#[test]
fn money_reads_as_people_write_it() {
    for (money, text) in [
        (krw(129_000), "129000 KRW"),
        (usd(129_000), "1290.00 USD"),
        (usd(5), "0.05 USD"),
        (usd(-5), "-0.05 USD"),
        (usd(i64::MIN), "-92233720368547758.08 USD"),
        (Money::new(1_234, Currency::parse("BHD").unwrap()), "1.234 BHD"),
        (Money::new(500, Currency::parse("JPY").unwrap()), "500 JPY"),
    ] {
        assert_eq!(money.to_string(), text);
    }
}

#[test]
fn only_iso_4217_is_a_currency() {
    for code in ["", "krw", "KR", "WON", "₩", "KRW ", "USDT"] {
        assert_eq!(Currency::parse(code), Err(Error::UnknownCurrency), "{code}");
    }
}

#[test]
fn an_amount_is_a_whole_number_of_64_bits() {
    for amount in ["1.5", "1e3", "\"1\"", "null", "9223372036854775808", "-9223372036854775809"] {
        let json = format!(r#"{{"amount":{amount},"currency":"KRW"}}"#);
        assert!(serde_json::from_str::<Money>(&json).is_err(), "{amount}");
    }
    assert!(serde_json::from_str::<Money>(r#"{"amount":1,"currency":"KRW","unit":"won"}"#).is_err());
}
