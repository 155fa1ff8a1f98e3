//! Text from outside keeps its rules or is refused, whatever it is.

use proptest::prelude::*;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::cases;
use crate::text::{CountryCode, Email, Invalid, Locale, LocalisedText, PersonName, Phone, Sku, bounded};
use crate::{Address, StreamId};

/// Arbitrary strings, and strings that nearly fit.
pub(super) fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \t\u{a0}\u{200b}\u{3000}]*[가-힣a-zA-Zé\u{301}\u{1100}-\u{1175}\u{200d}👩💻🇰🇷]{0,120}[ \n\u{2000}]*",
        "[a-zA-Z0-9.+İßΣ_-]{1,70}@[a-zA-Z0-9.İßΣÅ가-힣-]{1,80}\\.[a-zA-Zİ]{2,80}",
        "\\+?[0-9 ().-]{4,24}",
        "[A-Za-z0-9 ._@:+-]{0,70}",
        "[a-zA-Z]{0,4}-?[a-zA-Z]{0,3}",
    ]
}

/// What is parsed is displayed, parsed and stored as itself.
macro_rules! settles {
    ($type:ty, $text:expr) => {
        if let Ok(parsed) = <$type>::parse($text) {
            prop_assert_eq!(&<$type>::parse(&parsed.to_string()), &Ok(parsed.clone()));
            prop_assert!(is_nfc(parsed.as_str()), "{:?} is not in NFC", parsed);
            prop_assert!(!parsed.as_str().contains('\0'));
            let json = serde_json::to_string(&parsed).unwrap();
            prop_assert_eq!(&serde_json::from_str::<$type>(&json).unwrap(), &parsed);
        } else {
            prop_assert!(serde_json::from_value::<$type>($text.into()).is_err());
        }
    };
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_is_parsed_stays_as_it_is(text in hostile()) {
        settles!(PersonName, text.as_str());
        settles!(Email, text.as_str());
        settles!(Phone, text.as_str());
        settles!(Sku, text.as_str());
        settles!(Locale, text.as_str());
        settles!(CountryCode, text.as_str());
    }

    #[test]
    fn bounded_text_is_bounded(text in hostile(), least in 0_usize..3, more in 0_usize..40) {
        if let Ok(parsed) = bounded("a text", &text, least..=least + more) {
            prop_assert!((least..=least + more).contains(&parsed.chars().count()));
            prop_assert_eq!(parsed.trim(), parsed.as_str());
            prop_assert_eq!(bounded("a text", &parsed, least..=least + more), Ok(parsed.clone()));
        }
    }

    #[test]
    fn an_email_address_fits_the_standard(text in hostile()) {
        if let Ok(email) = Email::parse(&text) {
            let (local, domain) = email.as_str().rsplit_once('@').unwrap();
            prop_assert!(email.as_str().len() <= 254 && (1..=64).contains(&local.len()));
            prop_assert_eq!(domain.to_lowercase().nfc().collect::<String>(), domain);
            prop_assert!(domain.contains('.'));
        }
    }

    #[test]
    fn any_sku_names_a_stream(text in "[A-Za-z0-9 ._@:+-]{1,64}") {
        if let Ok(sku) = Sku::parse(&text) {
            let stream = StreamId::stock(&sku);
            prop_assert_eq!(stream.key(), sku.as_str());
            prop_assert_eq!(StreamId::parse(stream.as_str()), Some(stream.clone()));
        }
    }
}

#[test]
fn people_have_names_in_every_script() {
    for name in ["김민지", "山田太郎", "José Ñandú", "Ὀδυσσεύς", "👩‍💻", "🇰🇷", "O'Brien-Smith", "م"]
    {
        assert_eq!(PersonName::parse(name).unwrap().as_str(), name.nfc().collect::<String>());
    }
}

#[test]
fn hangul_that_was_taken_apart_is_put_together() {
    let apart: String = "김민지".nfd().collect();
    assert_ne!(apart, "김민지");
    assert_eq!(PersonName::parse(&format!(" {apart}\u{3000}")).unwrap().as_str(), "김민지");
}

#[test]
fn names_have_1_to_100_characters_of_one_line() {
    assert!(PersonName::parse(&"가".repeat(100)).is_ok());
    for wrong in ["가".repeat(101), "x".repeat(10_000), String::new(), "   ".to_owned()] {
        let Invalid { what, rule } = PersonName::parse(&wrong).unwrap_err();
        assert_eq!(what, "a name");
        assert!(rule.starts_with("must have 1 to 100 characters"), "{rule}");
    }
    for wrong in ["a\nb", "a\tb", "a\0b", "a\u{85}b", "a\u{1b}[31mb"] {
        assert!(PersonName::parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn separators_of_phone_numbers_are_taken_off() {
    for (text, number) in [("010-1234-5678", "01012345678"), (" +82 (10) 1234.5678 ", "+821012345678")] {
        assert_eq!(Phone::parse(text).unwrap().as_str(), number);
    }
    for wrong in
        ["", "+", "12345", "1234567890123456", "010+12345678", "٠١٠١٢٣٤٥٦", "010-abcd-5678", "++1234567"]
    {
        assert!(Phone::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn email_addresses_keep_the_case_of_their_local_part() {
    assert_eq!(Email::parse(" Minji.Kim+shop@Example.COM ").unwrap().as_str(), "Minji.Kim+shop@example.com");
    assert_eq!(Email::parse("a@b@example.com").ok(), None);
    for wrong in ["", "@", "a@", "@example.com", "a@example", "a@.com", "a@b..com", "a b@c.de", "a@b.c\0"] {
        assert!(Email::parse(wrong).is_err(), "{wrong:?}");
    }
    assert!(Email::parse(&format!("{}@example.com", "x".repeat(64))).is_ok());
    assert!(Email::parse(&format!("{}@example.com", "x".repeat(65))).is_err());
    // Lower case is longer here: two bytes become three.
    assert!(Email::parse(&format!("a@{}.com", "İ".repeat(100))).is_err());
}

#[test]
fn skus_locales_and_countries_are_plain() {
    for wrong in ["", " A", "A ", "A/B", "가", "A\0", "A\n"] {
        assert!(Sku::parse(wrong).is_err(), "{wrong:?}");
    }
    assert!(Sku::parse(&"x".repeat(64)).is_ok() && Sku::parse(&"x".repeat(65)).is_err());
    for wrong in ["", "k", "KO", "ko-kr", "ko-", "ko-KR-x", "koko", "한국"] {
        assert!(Locale::parse(wrong).is_err(), "{wrong}");
    }
    for wrong in ["", "K", "kr", "KOR", "한국"] {
        assert!(CountryCode::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_name_is_found_in_the_best_language_there_is() {
    let of = |text: &str| Locale::parse(text).unwrap();
    let all = LocalisedText::names([(of("ko"), "신발".to_owned()), (of("en"), " Shoe ".to_owned())]).unwrap();
    assert_eq!(
        (all.best(&of("en-US")), all.best(&of("fr")), all.best(&of("ko-KR"))),
        ("Shoe", "신발", "신발")
    );
    assert_eq!((all.get(&of("en")), all.get(&of("en-US"))), (Some("Shoe"), None));
    let french = LocalisedText::names([(of("fr"), "Chaussure".to_owned())]).unwrap();
    assert_eq!((french.best(&of("ja")), LocalisedText::default().best(&of("ja"))), ("Chaussure", ""));
}

#[test]
fn localised_names_keep_their_bounds() {
    let of = |text: &str| Locale::parse(text).unwrap();
    assert!(LocalisedText::names([]).is_err() && LocalisedText::descriptions([]).is_ok());
    assert!(LocalisedText::names([(of("ko"), "x".repeat(301))]).is_err());
    assert!(LocalisedText::descriptions([(of("ko"), "x".repeat(10_001))]).is_err());
    let many = ('a'..='u').map(|letter| (of(&format!("a{letter}")), "x".to_owned()));
    assert!(LocalisedText::names(many).is_err());
}

#[test]
fn addresses_are_checked_line_by_line() {
    let address = super::super::examples::address;
    assert_eq!(address().checked(), Ok(address()));
    let wrong: [fn(&mut Address); 6] = [
        |address| address.line1 = String::new(),
        |address| address.line1 = "x".repeat(10_000),
        |address| address.line2 = Some(" ".to_owned()),
        |address| address.city = "a\0".to_owned(),
        |address| address.region = Some("x".repeat(201)),
        |address| address.postal_code = "x".repeat(21),
    ];
    for (index, change) in wrong.into_iter().enumerate() {
        let mut address = address();
        change(&mut address);
        assert!(address.validate().is_err(), "{index}");
    }
}
