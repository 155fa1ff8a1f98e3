//! What is written of a product: all that a hit shows, and all that it is found and sorted by.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::Currency;
use domain::text::{Locale, LocalisedText};
use projections::products::Source;
use projections::products::query::{Listed, VALUE_CHARACTERS_MAX, fold, levels, sort_name};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Languages that names can be sorted in.
pub(crate) const SORTED: [&str; 3] = ["ko", "en", "ja"];

/// A product as it is written.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Document {
    /// The version it was made with, which OpenSearch keeps beside it as well: no older one is written over it.
    version: i64,
    product_id: Uuid,
    published: bool,
    sku: String,
    category: String,
    /// The category and all above it.
    categories: Vec<String>,
    brand: Option<String>,
    name: LocalisedText,
    attributes: BTreeMap<String, String>,
    /// Those that are counted.
    attribute_values: Vec<Attribute>,
    images: Vec<String>,
    prices: BTreeMap<String, i64>,
    sort_names: BTreeMap<String, String>,
    available: i64,
    in_stock: bool,
    bought: i64,
    created_micros: i64,
    /// The folded names.
    names: Vec<String>,
    /// The folded texts that words are looked for in.
    texts: Vec<String>,
    category_text: String,
    brand_text: Option<String>,
    /// The folded names in Korean, and so on.
    words_ko: Vec<String>,
    words_ja: Vec<String>,
    words_en: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Attribute {
    name: String,
    value: String,
}

impl Document {
    /// The document of a product, of that version.
    pub(crate) fn of(source: &Source, version: i64) -> Self {
        let counted = |value: &String| value.chars().count() <= VALUE_CHARACTERS_MAX;
        let attributes = source.attributes.iter().filter(|(_, value)| counted(value));
        Self {
            version,
            product_id: source.product_id,
            published: source.published,
            sku: source.sku.clone(),
            category: source.category.clone(),
            categories: levels(&source.category).map(str::to_owned).collect(),
            brand: source.brand.clone(),
            name: source.name.clone(),
            attributes: source.attributes.clone(),
            attribute_values: attributes
                .map(|(name, value)| Attribute { name: name.clone(), value: value.clone() })
                .collect(),
            images: source.images.clone(),
            prices: source.prices.clone(),
            sort_names: sorted(&source.sort_names),
            available: source.available,
            in_stock: source.available > 0,
            bought: source.bought,
            created_micros: source.created_at.timestamp_micros(),
            names: source.names().map(str::to_owned).collect(),
            texts: source.texts().map(str::to_owned).collect(),
            category_text: fold(&source.category),
            brand_text: source.brand.as_deref().map(fold),
            words_ko: words(&source.name, "ko"),
            words_ja: words(&source.name, "ja"),
            words_en: words(&source.name, "en"),
        }
    }

    /// The product.
    pub(crate) fn product_id(&self) -> Uuid {
        self.product_id
    }

    /// The names of the fields in which a document that was found is another one. The version does not count.
    pub(crate) fn differing(&self, found: &Value) -> Vec<String> {
        let Ok(Value::Object(mut wanted)) = serde_json::to_value(self) else { return Vec::new() };
        let mut found = found.as_object().cloned().unwrap_or_default();
        for both in [&mut wanted, &mut found] {
            both.remove("version");
        }
        let other = wanted.iter().filter(|(name, value)| found.get(*name) != Some(value));
        let more = found.keys().filter(|name| !wanted.contains_key(*name));
        other.map(|(name, _)| name).chain(more).cloned().collect()
    }
}

fn sorted(names: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let has = |language: &&str| names.get(*language).map(|name| ((*language).to_owned(), name.clone()));
    SORTED.iter().filter_map(has).collect()
}

/// The folded names of a language, in all countries.
fn words(name: &LocalisedText, language: &str) -> Vec<String> {
    let of = |locale: &Locale| locale.as_str().split('-').next() == Some(language);
    name.iter().filter(|(locale, _)| of(locale)).map(|(_, name)| fold(name)).collect()
}

/// The fields of a document that a hit is made of.
pub(crate) const SHOWN: [&str; 11] = [
    "product_id",
    "sku",
    "name",
    "category",
    "brand",
    "attributes",
    "images",
    "available",
    "bought",
    "created_micros",
    "prices",
];

/// The fields of [`SHOWN`], as they are found.
#[derive(Debug, Deserialize)]
pub(crate) struct Shown {
    product_id: Uuid,
    sku: String,
    name: LocalisedText,
    category: String,
    brand: Option<String>,
    // What is empty may be left out of what is found.
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    images: Vec<String>,
    available: i64,
    bought: i64,
    created_micros: i64,
    #[serde(default)]
    prices: BTreeMap<String, i64>,
}

impl Shown {
    /// The hit, as any finder has it.
    pub(crate) fn listed(self, locale: &Locale, currency: Currency, score: i32) -> Listed {
        let sort_names = projections::products::query::sort_names(&self.name);
        Listed {
            product_id: self.product_id,
            sku: self.sku,
            sort_name: sort_name(&sort_names, locale).to_owned(),
            name: self.name,
            category: self.category,
            brand: self.brand,
            attributes: self.attributes,
            images: self.images,
            available: self.available,
            amount: self.prices.get(currency.code()).copied(),
            bought: self.bought,
            created_at: DateTime::<Utc>::from_timestamp_micros(self.created_micros).unwrap_or_default(),
            score,
        }
    }
}
