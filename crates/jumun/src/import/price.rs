//! Decimal text into whole minor units, exactly: no floating point comes near money.

/// The minor units of a price such as `2.55`, for a currency with that exponent; the reason when it is no price of this
/// currency. The sign is kept: whether a price may be negative is not decided here.
pub(super) fn minor_units(text: &str, exponent: u32) -> Result<i64, String> {
    let wrong = || format!("the price {text:?} is not a number");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !numeric(whole) || !numeric(decimals) || digits.ends_with('.') {
        return Err(wrong());
    }
    // Zeros at the end say nothing: 2.50 and 2.5 are one price.
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > exponent as usize {
        return Err(format!("the price {text:?} has more than {exponent} decimal places"));
    }
    let padded = format!("{whole}{decimals:0<width$}", width = exponent as usize);
    let amount: i64 = padded.parse().map_err(|_| format!("the price {text:?} is too large"))?;
    Ok(if negative { -amount } else { amount })
}

/// A whole number, `6` or `-1`; `6.0`, as tables with gaps write it, is one too.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_converted_exactly() {
        for (text, exponent, amount) in [
            ("2.55", 2, 255),
            ("2.5", 2, 250),
            ("2", 2, 200),
            ("0.29", 2, 29),
            ("0", 2, 0),
            ("2.550", 2, 255),
            ("-11062.06", 2, -1_106_206),
            ("129000", 0, 129_000),
            ("129000.0", 0, 129_000),
            ("1.234", 3, 1_234),
            ("92233720368547758.07", 2, i64::MAX),
        ] {
            assert_eq!(minor_units(text, exponent), Ok(amount), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_of_the_currency_is_said_so() {
        for (text, exponent, words) in [
            ("", 2, "not a number"),
            (".5", 2, "not a number"),
            ("5.", 2, "not a number"),
            ("1e3", 2, "not a number"),
            ("1,50", 2, "not a number"),
            ("+1", 2, "not a number"),
            ("--1", 2, "not a number"),
            ("NaN", 2, "not a number"),
            ("2.555", 2, "more than 2 decimal places"),
            ("2.5", 0, "more than 0 decimal places"),
            ("92233720368547758.08", 2, "too large"),
        ] {
            let reason = minor_units(text, exponent).unwrap_err();
            assert!(reason.contains(words), "{text}: {reason}");
        }
    }

    #[test]
    fn whole_numbers_may_have_an_empty_fraction() {
        assert_eq!(whole_number("-12"), Some(-12));
        assert_eq!(whole_number("12.0"), Some(12));
        for text in ["", "1.5", "six", "1e3", "12.00", "99999999999999999999"] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }
}
