//! A card number never enters the system: a request that holds one is refused before anything of it is logged or stored.
//!
//! A card number is 13 to 19 digits, with or without single spaces, hyphens or dots between groups, in half or full width, whose check
//! digit fits (Luhn, ISO/IEC 7812-1) and which begin as the large schemes' do: 4, 51–55, 22–27, 30, 34–38, 6011, 62, 64, 65. It is looked
//! for in every text of a body except those that hold long numbers of other kinds: ids, SKUs, telephone and tracking numbers, attributes and images of
//! products. Digits that a letter touches are part of something else (a UUID, a gateway's token).

use axum::http::StatusCode;
use http_surface::Problem;
use serde_json::Value;

/// Fields whose long numbers are something else.
const EXEMPT: [&str; 11] = [
    "attributes",
    "currency",
    "email",
    "gateway",
    "images",
    "locale",
    "password",
    "phone",
    "refresh_token",
    "sku",
    "tracking_number",
];

/// Refuses a body that holds a card number. The value is not repeated.
pub(super) fn refuse(body: &[u8]) -> Result<(), Problem> {
    // What is no JSON is refused by whoever reads it next.
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Ok(()) };
    match find(&value, &mut String::new()) {
        None => Ok(()),
        Some(pointer) => {
            let detail =
                "this looks like a card number; card numbers are not accepted, only a gateway's tokens";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "card-number", detail).at(pointer, detail))
        }
    }
}

/// The JSON Pointer of the first text with a card number in it.
fn find(value: &Value, pointer: &mut String) -> Option<String> {
    let length = pointer.len();
    let mut within = |name: &str, value: &Value| {
        pointer.push('/');
        pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        let found = find(value, pointer);
        pointer.truncate(length);
        found
    };
    match value {
        Value::String(text) => holds_card_number(text).then(|| pointer.clone()),
        Value::Number(number) => holds_card_number(&number.to_string()).then(|| pointer.clone()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| within(&index.to_string(), item))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let exempt = EXEMPT.contains(&name.as_str()) || name.ends_with("_id");
            // An amount of money is no text.
            let amount = name == "amount" || name == "quantity";
            if exempt || amount { None } else { within(name, value) }
        }),
        Value::Null | Value::Bool(_) => None,
    }
}

fn holds_card_number(text: &str) -> bool {
    let plain: String = text.chars().map(plain).collect();
    let bytes = plain.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = end_of_run(bytes, at);
        if is_apart(bytes, at, end) && run_holds_card_number(&bytes[at..end]) {
            return true;
        }
        at = end;
    }
    false
}

/// Full-width digits and separators, and the many hyphens and spaces of Unicode, as the plain ones.
fn plain(character: char) -> char {
    match character {
        '０'..='９' => char::from(b'0' + (u32::from(character) - u32::from('０')) as u8),
        '\u{ff0e}' | '\u{3002}' | '\u{b7}' | '\u{30fb}' => '.',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => '-',
        character if character.is_whitespace() => ' ',
        character => character,
    }
}

/// Where digits with single separators between them end.
fn end_of_run(bytes: &[u8], from: usize) -> usize {
    let mut end = from;
    while end < bytes.len() {
        let separated =
            matches!(bytes[end], b' ' | b'-' | b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        if bytes[end].is_ascii_digit() || separated {
            end += 1;
        } else {
            break;
        }
    }
    end
}

fn is_apart(bytes: &[u8], from: usize, end: usize) -> bool {
    let joined = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let before = from.checked_sub(1).and_then(|before| bytes.get(before));
    !before.is_some_and(joined) && !bytes.get(end).is_some_and(joined)
}

/// Whether some neighbouring groups of a run are a card number together.
fn run_holds_card_number(run: &[u8]) -> bool {
    let groups: Vec<&[u8]> = run.split(|byte| !byte.is_ascii_digit()).collect();
    (0..groups.len()).any(|first| {
        let mut digits: Vec<u8> = Vec::with_capacity(19);
        groups[first..].iter().any(|group| {
            if digits.len() + group.len() > 19 {
                return false;
            }
            digits.extend(group.iter().map(|byte| byte - b'0'));
            is_card_number(&digits)
        })
    })
}

fn is_card_number(digits: &[u8]) -> bool {
    (13..=19).contains(&digits.len()) && is_of_a_scheme(digits) && check_digit_fits(digits)
}

fn is_of_a_scheme(digits: &[u8]) -> bool {
    matches!(
        digits,
        [4, ..]
            | [5, 1..=5, ..]
            | [2, 2..=7, ..]
            | [3, 0 | 4..=8, ..]
            | [6, 0, 1, 1, ..]
            | [6, 2 | 4 | 5, ..]
    )
}

fn check_digit_fits(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match u32::from(*digit) * (1 + index as u32 % 2) {
            sum if sum > 9 => sum - 9,
            sum => sum,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_found_however_they_are_written() {
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "내 카드는 5555555555554444 입니다",
            "order 12 378282246310005",
            "12 4111111111111111",
            "6011111111111117.",
            "3530111333300000",
            "2223003122003222",
            "6500000000000002",
            "4111.1111.1111.1111",
            "4111\u{a0}1111\u{2011}1111．1111",
            "４１１１１１１１１１１１１１１１",
            "카드 ４１１１－１１１１－１１１１－１１１１",
            "30569309025904",
            "36227206271667",
            "38520000023237",
            "6200000000000005",
            "6445644564456445",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "",
            "4111111111111112",
            "411111111111",
            "41111111111111111111111111111111",
            "01a3f8d2-4111-7111-8111-411111111111",
            "tok_4111111111111111",
            "x4111111111111111",
            "010-1234-5678",
            "+82 10 1234 5678",
            "1234567890123452",
            "approve",
            "2026-11-24 05:38:10",
            "2026.11.24. 05.38.10",
            "192.168.100.200",
            "4111..1111..1111..1111",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn the_field_is_named_and_the_number_is_not_repeated() {
        let body = br#"{"payment": {"token": "4111111111111111"}, "cart_id": "4111111111111111"}"#;
        let problem = refuse(body).unwrap_err();
        assert_eq!(
            (problem.code.as_str(), problem.errors[0].pointer.as_str()),
            ("card-number", "/payment/token")
        );
        assert!(!format!("{problem:?}").contains("4111"));
        let numeric = refuse(br#"{"payment": {"token": 4111111111111111}}"#).unwrap_err();
        assert_eq!(numeric.errors[0].pointer, "/payment/token");
        let listed = refuse(br#"{"lines": [{"a/b": "4111 1111 1111 1111"}]}"#).unwrap_err();
        assert_eq!(listed.errors[0].pointer, "/lines/0/a~1b");
        for fine in
            [r#"{"phone": "4111111111111111"}"#, r#"{"tracking_number": "4111111111111111"}"#, "broken"]
        {
            assert!(refuse(fine.as_bytes()).is_ok(), "{fine}");
        }
    }
}
