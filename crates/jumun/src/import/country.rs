//! Countries as the invoices name them.

/// Names as they appear in shops' exports, with their ISO 3166-1 alpha-2 code.
const NAMES: &[(&str, &str)] = &[
    ("australia", "AU"),
    ("austria", "AT"),
    ("bahrain", "BH"),
    ("belgium", "BE"),
    ("brazil", "BR"),
    ("canada", "CA"),
    ("channel islands", "JE"),
    ("cyprus", "CY"),
    ("czech republic", "CZ"),
    ("denmark", "DK"),
    ("eire", "IE"),
    ("european community", "GB"),
    ("finland", "FI"),
    ("france", "FR"),
    ("germany", "DE"),
    ("greece", "GR"),
    ("hong kong", "HK"),
    ("iceland", "IS"),
    ("ireland", "IE"),
    ("israel", "IL"),
    ("italy", "IT"),
    ("japan", "JP"),
    ("korea", "KR"),
    ("lebanon", "LB"),
    ("lithuania", "LT"),
    ("malta", "MT"),
    ("netherlands", "NL"),
    ("nigeria", "NG"),
    ("norway", "NO"),
    ("poland", "PL"),
    ("portugal", "PT"),
    ("rsa", "ZA"),
    ("saudi arabia", "SA"),
    ("singapore", "SG"),
    ("spain", "ES"),
    ("sweden", "SE"),
    ("switzerland", "CH"),
    ("thailand", "TH"),
    ("united arab emirates", "AE"),
    ("united kingdom", "GB"),
    ("unspecified", "GB"),
    ("usa", "US"),
    ("west indies", "JM"),
];

/// Where orders go whose country is not known.
pub(super) const UNKNOWN: &str = "GB";

/// The code of a country's name, or of a code. `None`: nobody knows it.
pub(super) fn code(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some(UNKNOWN.to_owned());
    }
    if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(name.to_owned());
    }
    let name = name.to_lowercase();
    let found = NAMES.binary_search_by_key(&name.as_str(), |(known, _)| known).ok()?;
    Some(NAMES[found].1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_found() {
        assert!(NAMES.is_sorted());
        for (name, expected) in NAMES {
            assert_eq!(code(name).as_deref(), Some(*expected));
        }
        assert_eq!(code("United Kingdom").as_deref(), Some("GB"));
        assert_eq!(code("EIRE").as_deref(), Some("IE"));
        assert_eq!(code("NL").as_deref(), Some("NL"));
        assert_eq!(code("").as_deref(), Some("GB"));
        assert_eq!(code("Atlantis"), None);
    }
}
