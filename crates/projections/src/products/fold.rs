//! Text as it is searched: the same for every case, width and composition, cut into parts that an index can find.

use std::collections::{BTreeMap, BTreeSet};

use domain::text::{Locale, LocalisedText};
use unicode_normalization::UnicodeNormalization;

use super::row::Row;

/// The languages every product can be sorted in by an index, whether it has a name in them or not.
const SORTED_LANGUAGES: [&str; 3] = ["ko", "en", "ja"];

/// Characters of a name that it is sorted by.
const SORTED_CHARACTERS: usize = 100;

/// What a text and all ways of writing it have in common: compatibility composition (NFKC: full width is narrow, jamo are
/// syllables), lower case, one space for any white space, nothing invisible.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in letters(text) {
        if !letter.is_whitespace() {
            folded.push(letter);
        } else if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The folded letters of a text, with its white space as it is. Letter by letter: the lower case of a whole string depends on
/// what stands beside a letter (a final sigma).
pub(super) fn letters(text: &str) -> impl Iterator<Item = char> {
    text.nfkc().flat_map(char::to_lowercase).nfkc().filter(|letter| !is_invisible(*letter))
}

/// Controls, and what joins or separates letters without being seen.
fn is_invisible(character: char) -> bool {
    (character.is_control() && !character.is_whitespace())
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// The parts of a word that are looked up in the index: its pairs of characters, or the one it has.
pub(super) fn parts(word: &str) -> BTreeSet<String> {
    let characters: Vec<char> = word.chars().collect();
    match characters.as_slice() {
        [one] => BTreeSet::from([one.to_string()]),
        more => more.windows(2).map(String::from_iter).collect(),
    }
}

/// All parts of a text that can be looked up.
fn all_parts(text: &str) -> BTreeSet<String> {
    let words = text.split_whitespace();
    words.flat_map(|word| word.chars().map(String::from).chain(parts(word))).collect()
}

/// A product's text as it is searched.
#[derive(Debug)]
pub(super) struct Folded {
    /// Its names, a line each, every line between line feeds.
    pub(super) names: String,
    /// All that is searched.
    pub(super) all: String,
    /// The parts of it, with spaces between.
    pub(super) parts: String,
}

impl Folded {
    pub(super) fn of(row: &Row) -> Self {
        let names: BTreeSet<String> = row.name.iter().map(|(_, name)| fold(name)).collect();
        // Spaces in Korean names are a matter of taste: 에어 맥스 is found as 에어맥스, too.
        let unspaced = names.iter().filter(|name| name.contains(' ')).map(|name| name.replace(' ', ""));
        let others = [Some(&row.category), row.brand.as_ref(), Some(&row.sku)];
        let others = others.into_iter().flatten().map(|text| fold(text));
        let others: BTreeSet<String> = unspaced.chain(others).collect();
        let names = lines(&names);
        let all = format!("{names}{}", &lines(&others)[1..]);
        let parts = Vec::from_iter(all_parts(&all)).join(" ");
        Self { names, all, parts }
    }
}

fn lines(texts: &BTreeSet<String>) -> String {
    texts.iter().fold(String::from("\n"), |lines, text| lines + text + "\n")
}

/// The names it is sorted by: its own, and in [`SORTED_LANGUAGES`] the best there is. Only their beginnings: a folded name can
/// be longer than an entry of an index may be.
pub fn sort_names(name: &LocalisedText) -> BTreeMap<String, String> {
    let beginning = |text: &str| fold(text).chars().take(SORTED_CHARACTERS).collect::<String>();
    let own = name.iter().map(|(locale, text)| (locale.as_str().to_owned(), beginning(text)));
    let best = SORTED_LANGUAGES.into_iter().filter_map(|language| {
        let locale = Locale::parse(language).ok()?;
        Some((language.to_owned(), beginning(name.best(&locale))))
    });
    best.chain(own).collect()
}

/// The name that these names are sorted by in a language: its own, else that of the language without the country, else Korean.
pub fn sort_name<'a>(names: &'a BTreeMap<String, String>, locale: &Locale) -> &'a str {
    let language = locale.as_str().split('-').next().unwrap_or_default();
    let name = [locale.as_str(), language, "ko"].into_iter().find_map(|locale| names.get(locale));
    name.map_or("", String::as_str)
}
