//! What happens to products.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ProductId;
use crate::text::{LocalisedText, Sku};
use crate::{Money, events, payloads};

/// A product was added to the catalogue, unpublished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// The product.
    pub product_id: ProductId,
    /// Its one SKU.
    pub sku: Sku,
    /// Name by language.
    pub name: LocalisedText,
    /// Description by language.
    pub description: LocalisedText,
    /// Category path, for example `shoes/running`.
    pub category: String,
    /// Brand.
    pub brand: Option<String>,
    /// Free attributes, for example `colour: black`.
    pub attributes: BTreeMap<String, String>,
    /// One price per currency.
    pub prices: Vec<Money>,
    /// Image addresses (https).
    pub images: Vec<String>,
}

/// Some of it changed; what is `null` is unchanged.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Changed {
    /// New names.
    pub name: Option<LocalisedText>,
    /// New descriptions.
    pub description: Option<LocalisedText>,
    /// New category.
    pub category: Option<String>,
    /// New brand.
    pub brand: Option<String>,
    /// New attributes, all of them.
    pub attributes: Option<BTreeMap<String, String>>,
    /// New prices, all of them.
    pub prices: Option<Vec<Money>>,
    /// New images, all of them.
    pub images: Option<Vec<String>>,
}

/// It can be found and bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Published {}

/// It can no longer be found or bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unpublished {}

events! {
    /// Added to the catalogue.
    Created = "ProductCreated" v 1,
    /// Some of it changed.
    Changed = "ProductChanged" v 1,
    /// Can be bought.
    Published = "ProductPublished" v 1,
    /// Can no longer be bought.
    Unpublished = "ProductUnpublished" v 1,
}
payloads!(Created, Changed, Published, Unpublished;);
