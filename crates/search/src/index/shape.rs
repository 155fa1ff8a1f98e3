//! The settings and the mapping of an index.
//!
//! Every text is kept in two ways. Folded and cut into single characters and pairs of them, any part of a word is found, as
//! PostgreSQL finds it: a phrase of pairs is a part of a text. Analysed by its language, other forms of a word are found too.

use serde_json::{Value, json};

/// What the cluster can do with languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Analysis {
    /// Korean morphology; else pairs of characters (`cjk`).
    pub(crate) nori: bool,
    /// Japanese morphology; else pairs of characters (`cjk`).
    pub(crate) kuromoji: bool,
}

/// Korean: particles and endings do not matter, compounds are found by their parts. Which parts of speech are left out is nori's own
/// choice: their names are not the same in every version of it.
pub(super) fn nori() -> Value {
    json!({
        "tokenizer": {"type": "nori_tokenizer", "decompound_mode": "discard"},
        "filter": ["nori_part_of_speech", "nori_readingform", "lowercase"],
    })
}

/// Japanese: inflected words are found by any of their forms.
pub(super) fn kuromoji() -> Value {
    json!({
        "tokenizer": {"type": "kuromoji_tokenizer", "mode": "search"},
        "filter": ["kuromoji_baseform", "kuromoji_part_of_speech", "kuromoji_stemmer", "lowercase"],
    })
}

pub(super) fn settings(analysis: Analysis) -> Value {
    let mut parts = Parts::default();
    for (name, wanted, analyzer) in
        [("korean", analysis.nori, nori()), ("japanese", analysis.kuromoji, kuromoji())]
    {
        if wanted {
            parts.add(name, &analyzer);
        } else {
            parts.analyzers.insert(name.to_owned(), json!({"type": "cjk"}));
        }
    }
    for (name, characters) in [("ones", 1), ("pairs", 2)] {
        let tokenizer = json!({"type": "ngram", "min_gram": characters, "max_gram": characters});
        parts.add(name, &json!({"tokenizer": tokenizer, "filter": []}));
    }
    json!({
        "index": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "1s"},
        "analysis": {"analyzer": parts.analyzers, "tokenizer": parts.tokenizers, "filter": parts.filters},
    })
}

/// Analyzers, with what they are made of under names of its own, as an index wants it.
#[derive(Default)]
struct Parts {
    analyzers: serde_json::Map<String, Value>,
    tokenizers: serde_json::Map<String, Value>,
    filters: serde_json::Map<String, Value>,
}

impl Parts {
    fn add(&mut self, name: &str, analyzer: &Value) {
        self.tokenizers.insert(name.to_owned(), analyzer["tokenizer"].clone());
        let mut filters = Vec::new();
        for (number, filter) in analyzer["filter"].as_array().into_iter().flatten().enumerate() {
            if filter.is_string() {
                filters.push(filter.clone());
            } else {
                let own = format!("{name}_{number}");
                self.filters.insert(own.clone(), filter.clone());
                filters.push(json!(own));
            }
        }
        self.analyzers
            .insert(name.to_owned(), json!({"type": "custom", "tokenizer": name, "filter": filters}));
    }
}

/// The fields. Others are refused: what is not meant to be there is a defect, and must not make fields of its own.
pub(super) fn mappings() -> Value {
    let grams = |analyzer: &str, options: &str| json!({"type": "text", "analyzer": analyzer, "norms": false, "index_options": options});
    let parts = json!({"ones": grams("ones", "docs"), "pairs": grams("pairs", "positions")});
    let word = |analyzer: &str| json!({"type": "text", "analyzer": analyzer, "norms": false});
    let long = json!({"type": "long"});
    // Shown, and nothing else: not looked into.
    let shown = json!({"type": "object", "enabled": false});
    let exact = json!({"type": "keyword"});
    let in_parts = json!({"type": "keyword", "index": false, "doc_values": false, "fields": parts});
    json!({
        "dynamic": "strict",
        "dynamic_templates": [{"prices": {"path_match": "prices.*", "mapping": long}}],
        "properties": {
            "version": long,
            "product_id": exact,
            "published": {"type": "boolean"},
            "sku": exact,
            "category": exact,
            "categories": exact,
            "brand": exact,
            "name": shown,
            "attributes": shown,
            "attribute_values": {"type": "nested", "properties": {"name": exact, "value": exact}},
            "images": {"type": "keyword", "index": false, "doc_values": false},
            // By currency; there are only as many as ISO 4217 has.
            "prices": {"type": "object", "dynamic": "true"},
            "sort_names": {"properties": {"ko": exact, "en": exact, "ja": exact}},
            "available": long,
            "in_stock": {"type": "boolean"},
            "bought": long,
            "created_micros": long,
            "names": {"type": "keyword", "fields": parts},
            "texts": in_parts,
            "category_text": in_parts,
            "brand_text": in_parts,
            "words_ko": word("korean"),
            "words_ja": word("japanese"),
            "words_en": word("english"),
        },
    })
}
