//! What is searched for, folded as the texts are.

use std::collections::BTreeSet;

use crate::products::fold;

/// Words to search for.
#[derive(Debug, Clone)]
pub struct Terms {
    /// All of it, folded.
    pub phrase: String,
    /// Its words, each once.
    pub words: Vec<String>,
}

impl Terms {
    /// `None` when there is nothing to search for.
    pub fn parse(text: &str) -> Option<Self> {
        let phrase = fold::fold(text);
        let mut words = Vec::new();
        for word in phrase.split(' ').filter(|word| !word.is_empty()) {
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        (!words.is_empty()).then_some(Self { phrase, words })
    }

    /// What the index is asked for: all parts of all words, as a `tsquery` is written.
    pub(super) fn parts(&self) -> String {
        let parts: BTreeSet<String> = self.words.iter().flat_map(|word| fold::parts(word)).collect();
        let quoted = |part: &String| format!("'{}'", part.replace('\\', "\\\\").replace('\'', "''"));
        parts.iter().map(quoted).collect::<Vec<_>>().join(" & ")
    }
}
