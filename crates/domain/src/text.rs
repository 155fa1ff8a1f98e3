//! Text from outside, parsed once at the edge into types that keep their rules. NUL is refused everywhere: PostgreSQL's text
//! cannot hold it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Text that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {rule}")]
pub struct Invalid {
    /// What it should have been.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: String,
}

impl Invalid {
    /// This rule of that kind of text is broken.
    pub fn new(what: &'static str, rule: impl Into<String>) -> Self {
        Self { what, rule: rule.into() }
    }
}

/// Text in NFC without control characters, of so many characters. Surrounding white space is taken off.
pub fn bounded(
    what: &'static str,
    text: &str,
    characters: std::ops::RangeInclusive<usize>,
) -> Result<String, Invalid> {
    let text: String = text.trim().nfc().collect();
    let length = text.chars().count();
    if !characters.contains(&length) {
        let (least, most) = (characters.start(), characters.end());
        return Err(Invalid::new(what, format!("must have {least} to {most} characters, not {length}")));
    }
    if text.chars().any(|character| character.is_control() && character != '\n' && character != '\t') {
        return Err(Invalid::new(what, "must not hold control characters"));
    }
    Ok(text)
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $parse:ident, $pattern:literal, $least:literal to $most:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = $pattern, "minLength" = $least, "maxLength" = $most))]
        pub struct $name(String);
        impl $name {
            /// Parses it.
            ///
            /// # Errors
            /// When a rule of this kind of text is broken; the message says which.
            pub fn parse(text: &str) -> Result<Self, Invalid> { $parse(text).map(Self) }
            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }
        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> { Self::parse(&text) }
        }
        impl From<$name> for String { fn from(text: $name) -> Self { text.0 } }
        impl std::str::FromStr for $name {
            type Err = Invalid;
            fn from_str(text: &str) -> Result<Self, Invalid> { Self::parse(text) }
        }
    )*};
}

// Beside each the pattern and the length in characters that its JSON Schema has: whatever is parsed fits them, and a test
// sees to it.
texts! {
    /// A stock keeping unit: 1 to 64 ASCII letters, digits, spaces and `._-@:+`, no space at either end.
    Sku = sku, "^[A-Za-z0-9._@:+-]([A-Za-z0-9 ._@:+-]*[A-Za-z0-9._@:+-])?$", 1 to 64;
    /// A language as BCP 47 writes it, `ko` or `en-US`.
    Locale = locale, "^[a-z]{2,3}(-[A-Z]{2})?$", 2 to 6;
    /// A person's name: 1 to 100 characters of any script.
    PersonName = person_name, r"^[^\u0000-\u001f\u007f-\u009f]+$", 1 to 100;
    /// A telephone number: `+` and digits (E.164) or national digits; separators are taken off.
    Phone = phone, r"^\+?[0-9]{6,15}$", 6 to 16;
    /// An e-mail address, the domain in lower case; at most 254 characters (RFC 5321, 4.5.3.1).
    Email = email, r"^[^ @]{1,64}@[^ @.]+(\.[^ @.]+)+$", 5 to 254;
    /// A country, ISO 3166-1 alpha-2, in capitals.
    CountryCode = country_code, "^[A-Z]{2}$", 2 to 2;
}

fn sku(text: &str) -> Result<String, Invalid> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-@:+".contains(c);
    if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) || text.trim() != text {
        return Err(Invalid::new(
            "a SKU",
            "must be 1 to 64 of A-Z a-z 0-9 space . _ - @ : + without a space at either end",
        ));
    }
    Ok(text.to_owned())
}

fn locale(text: &str) -> Result<String, Invalid> {
    let (language, region) =
        text.split_once('-').map_or((text, None), |(language, region)| (language, Some(region)));
    let language_fits = (2..=3).contains(&language.len()) && language.chars().all(|c| c.is_ascii_lowercase());
    let region_fits =
        region.is_none_or(|region| region.len() == 2 && region.chars().all(|c| c.is_ascii_uppercase()));
    if language_fits && region_fits {
        return Ok(text.to_owned());
    }
    Err(Invalid::new("a locale", "must be a language, with or without a country, such as ko or en-US"))
}

fn person_name(text: &str) -> Result<String, Invalid> {
    let name = bounded("a name", text, 1..=100)?;
    if name.chars().any(char::is_control) {
        return Err(Invalid::new("a name", "must be one line"));
    }
    Ok(name)
}

fn phone(text: &str) -> Result<String, Invalid> {
    let wrong = || Invalid::new("a phone number", "must be 6 to 15 digits, with or without a leading +");
    let mut number = String::with_capacity(text.len());
    for (index, character) in text.trim().chars().enumerate() {
        match character {
            '0'..='9' => number.push(character),
            '+' if index == 0 => number.push(character),
            ' ' | '-' | '(' | ')' | '.' => {}
            _ => return Err(wrong()),
        }
    }
    let digits = number.trim_start_matches('+').len();
    if (6..=15).contains(&digits) { Ok(number) } else { Err(wrong()) }
}

fn email(text: &str) -> Result<String, Invalid> {
    let wrong = |rule: &str| Invalid::new("an e-mail address", rule);
    let (local, domain) = text.trim().rsplit_once('@').ok_or_else(|| wrong("must have an @"))?;
    // Lower case can be longer: what is kept is what is measured.
    let text: String = format!("{local}@{}", domain.to_lowercase()).nfc().collect();
    let (local, domain) = text.rsplit_once('@').ok_or_else(|| wrong("must have an @"))?;
    if text.len() > 254 || local.len() > 64 {
        return Err(wrong("must have at most 254 bytes, at most 64 of them before the @"));
    }
    let plain = |part: &str| {
        !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    let dots = domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
    if !plain(local) || !plain(domain) || !dots {
        return Err(wrong("must look like name@example.com"));
    }
    Ok(text)
}

fn country_code(text: &str) -> Result<String, Invalid> {
    if text.len() == 2 && text.chars().all(|c| c.is_ascii_uppercase()) {
        return Ok(text.to_owned());
    }
    Err(Invalid::new("a country", "must be two capital letters, ISO 3166-1 alpha-2"))
}

/// Text in one or more languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend(
    "maxProperties" = 20,
    "patternProperties" = {"^[a-z]{2,3}(-[A-Z]{2})?$": {"type": "string", "maxLength": 10_000}}
))]
pub struct LocalisedText(BTreeMap<Locale, String>);

impl LocalisedText {
    /// Names: at least one language, 1 to 300 characters each.
    pub fn names(texts: impl IntoIterator<Item = (Locale, String)>) -> Result<Self, Invalid> {
        Self::build(texts, 1..=300, 1)
    }

    /// Descriptions: any number of languages, up to 10,000 characters each.
    pub fn descriptions(texts: impl IntoIterator<Item = (Locale, String)>) -> Result<Self, Invalid> {
        Self::build(texts, 0..=10_000, 0)
    }

    fn build(
        texts: impl IntoIterator<Item = (Locale, String)>,
        characters: std::ops::RangeInclusive<usize>,
        least: usize,
    ) -> Result<Self, Invalid> {
        let texts: BTreeMap<_, _> = texts
            .into_iter()
            .map(|(locale, text)| {
                bounded("a localised text", &text, characters.clone()).map(|text| (locale, text))
            })
            .collect::<Result<_, _>>()?;
        if texts.len() < least || texts.len() > 20 {
            return Err(Invalid::new("a localised text", format!("must be in {least} to 20 languages")));
        }
        Ok(Self(texts))
    }

    /// In exactly that language.
    pub fn get(&self, locale: &Locale) -> Option<&str> {
        self.0.get(locale).map(String::as_str)
    }

    /// In that language, else its language without the country, else Korean, else English, else any. Empty when there is none.
    pub fn best(&self, locale: &Locale) -> &str {
        let language = locale.as_str().split('-').next().unwrap_or_default();
        let of = |wanted: &str| {
            self.0.iter().find(|(have, _)| have.as_str() == wanted).map(|(_, text)| text.as_str())
        };
        self.get(locale)
            .or_else(|| of(language))
            .or_else(|| of("ko"))
            .or_else(|| of("en"))
            .or_else(|| self.0.values().next().map(String::as_str))
            .unwrap_or_default()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&Locale, &str)> {
        self.0.iter().map(|(locale, text)| (locale, text.as_str()))
    }
}
