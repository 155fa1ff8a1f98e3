//! What comes in about products.

use std::collections::BTreeMap;

use domain::Money;
use domain::ids::ProductId;
use domain::product;
use domain::text::{Invalid, Locale, LocalisedText, Sku};
use http_surface::Problem;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::edge::{MoneyBody, checked, text};

/// Text by language.
type Localised = BTreeMap<String, String>;

/// A product that is to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProduct {
    /// Its one SKU.
    #[schema(example = "NIKE-AIRMAX-270")]
    sku: String,
    /// Name by language, 1 to 300 characters each.
    #[schema(example = json!({"ko": "나이키 에어맥스 운동화", "en": "Nike Air Max sneakers"}))]
    name: Localised,
    /// Description by language, up to 10,000 characters each.
    #[serde(default)]
    description: Localised,
    /// Category path.
    #[schema(example = "shoes/running")]
    category: String,
    /// Brand.
    #[schema(example = "Nike")]
    brand: Option<String>,
    /// Free attributes.
    #[serde(default)]
    #[schema(example = json!({"colour": "black"}))]
    attributes: BTreeMap<String, String>,
    /// One price per currency.
    #[serde(default)]
    prices: Vec<MoneyBody>,
    /// Image addresses (https).
    #[serde(default)]
    images: Vec<String>,
}

impl NewProduct {
    pub(super) fn parse(&self, product_id: ProductId) -> Result<product::Created, Problem> {
        Ok(product::Created {
            product_id,
            sku: checked("/sku", Sku::parse(&self.sku))?,
            name: localised("/name", &self.name, LocalisedText::names)?,
            description: localised("/description", &self.description, LocalisedText::descriptions)?,
            category: text("/category", "a category", &self.category, 200)?,
            brand: self.brand.as_deref().map(brand).transpose()?,
            attributes: self.attributes.clone(),
            prices: prices(&self.prices)?,
            images: self.images.clone(),
        })
    }
}

/// What changes; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductChange {
    /// New names, all of them.
    name: Option<Localised>,
    /// New descriptions, all of them.
    description: Option<Localised>,
    /// New category.
    category: Option<String>,
    /// New brand.
    brand: Option<String>,
    /// New attributes, all of them.
    attributes: Option<BTreeMap<String, String>>,
    /// New prices, all of them.
    prices: Option<Vec<MoneyBody>>,
    /// New images, all of them.
    images: Option<Vec<String>>,
}

impl ProductChange {
    pub(super) fn parse(&self) -> Result<product::Changed, Problem> {
        let name = self.name.as_ref().map(|name| localised("/name", name, LocalisedText::names));
        let description = self.description.as_ref();
        let description =
            description.map(|text| localised("/description", text, LocalisedText::descriptions));
        let category =
            self.category.as_deref().map(|category| text("/category", "a category", category, 200));
        Ok(product::Changed {
            name: name.transpose()?,
            description: description.transpose()?,
            category: category.transpose()?,
            brand: self.brand.as_deref().map(brand).transpose()?,
            attributes: self.attributes.clone(),
            prices: self.prices.as_deref().map(prices).transpose()?,
            images: self.images.clone(),
        })
    }
}

fn brand(given: &str) -> Result<String, Problem> {
    text("/brand", "a brand", given, 100)
}

fn localised(
    pointer: &str,
    texts: &Localised,
    build: impl Fn(Vec<(Locale, String)>) -> Result<LocalisedText, Invalid>,
) -> Result<LocalisedText, Problem> {
    let by_locale = texts.iter().map(|(locale, text)| {
        // One at a time first, so that the language whose text breaks a rule is named.
        let at = format!("{pointer}/{}", locale.replace('~', "~0").replace('/', "~1"));
        let locale = checked(at.clone(), Locale::parse(locale))?;
        checked(at, build(vec![(locale.clone(), text.clone())]))?;
        Ok((locale, text.clone()))
    });
    let by_locale = by_locale.collect::<Result<Vec<_>, Problem>>()?;
    checked(pointer, build(by_locale))
}

fn prices(bodies: &[MoneyBody]) -> Result<Vec<Money>, Problem> {
    bodies.iter().enumerate().map(|(index, price)| price.parse(&format!("/prices/{index}"))).collect()
}

/// A new product.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is only read by OpenAPI")]
#[schema(as = ProductCreated)]
pub(crate) struct Created {
    /// The product.
    product_id: Uuid,
}
