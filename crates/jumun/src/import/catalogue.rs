//! The invoices' products in the shop's catalogue, and what each costs at the moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow};
use domain::Currency;
use domain::text::Sku;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::CALLS_AT_ONCE;
use super::call::{As, Call, Failure};
use super::keys::Keys;
use super::plan::{Item, Product};
use super::shop::Shop;

/// A product of the shop.
#[derive(Debug, Clone)]
struct Listed {
    product_id: String,
    /// Minor units; `None`: not known.
    price: Option<i64>,
    /// Its prices in other currencies, which stay as they are.
    others: Vec<Value>,
}

/// All products of an import.
pub(super) struct Catalogue {
    shop: Arc<Shop>,
    keys: Keys,
    currency: Currency,
    listed: Mutex<HashMap<Sku, Listed>>,
}

/// A SKU as a part of a path. Of what a SKU may hold, the space alone must be written otherwise there.
pub(super) fn in_path(sku: &Sku) -> String {
    sku.as_str().replace(' ', "%20")
}

impl Catalogue {
    pub(super) fn new(shop: Arc<Shop>, keys: Keys, currency: Currency) -> Self {
        Self { shop, keys, currency, listed: Mutex::default() }
    }

    /// Makes sure that these products are there and on sale. `done` is told of each.
    pub(super) async fn list(self: &Arc<Self>, products: Vec<Product>, done: impl Fn()) -> Result<()> {
        let one = |product: Product| {
            let catalogue = self.clone();
            async move { catalogue.list_one(&product).await }
        };
        stream::iter(products)
            .map(one)
            .buffer_unordered(CALLS_AT_ONCE)
            .try_for_each(|()| {
                done();
                futures::future::ready(Ok(()))
            })
            .await
    }

    async fn list_one(&self, product: &Product) -> Result<()> {
        let sku = product.sku.as_str();
        let body = json!({
            "sku": sku,
            "name": {"en": product.name},
            "description": {},
            "category": "Imported",
            "attributes": {},
            "prices": [self.money(product.price)],
            "images": [],
        });
        let call = Call::post("/v1/products", As::Staff, body).key(self.keys.of(&["product", sku]));
        let listed = match self.shop.send(&call).await {
            // One that an earlier run has made may have got another price since.
            Ok(answer) => Listed {
                product_id: answer.text("product_id")?.to_owned(),
                price: (!answer.replayed).then_some(product.price),
                others: Vec::new(),
            },
            Err(Failure::Refused(refusal)) if refusal.code == "sku-taken" => self.taken(&product.sku).await?,
            Err(failure) => return Err(failure.fatal(&format!("the product {sku} cannot be made"))),
        };
        let path = format!("/v1/products/{}/publish", listed.product_id);
        let call = Call::post(path, As::Staff, json!({})).key(self.keys.of(&["publish", sku]));
        let published = self.shop.send(&call).await;
        published.map_err(|failure| failure.fatal(&format!("the product {sku} cannot be published")))?;
        self.listed().insert(product.sku.clone(), listed);
        Ok(())
    }

    /// The product that has this SKU already.
    async fn taken(&self, sku: &Sku) -> Result<Listed> {
        let what = || format!("the product {sku} cannot be read");
        let stock = Call::get(format!("/v1/stock/{}", in_path(sku)), As::Nobody);
        let stock = self.shop.send(&stock).await.map_err(|failure| failure.fatal(&what()))?;
        let product_id = stock.text("product_id")?.to_owned();
        let product = Call::get(format!("/v1/products/{product_id}"), As::Staff);
        let product = self.shop.send(&product).await.map_err(|failure| failure.fatal(&what()))?;
        let prices = product.body["prices"].as_array().cloned().unwrap_or_default();
        let others = prices.into_iter().filter(|price| price["currency"] != self.currency.code()).collect();
        Ok(Listed { product_id, price: None, others })
    }

    /// Brings the prices of these products to what an invoice says.
    pub(super) async fn price(self: &Arc<Self>, items: &[Item]) -> Result<()> {
        let differs =
            |item: &&Item| self.listed().get(&item.sku).is_none_or(|listed| listed.price != Some(item.price));
        let one = |(sku, price): (Sku, i64)| {
            let catalogue = self.clone();
            async move { catalogue.price_one(&sku, price).await }
        };
        let wanted: Vec<_> =
            items.iter().filter(differs).map(|item| (item.sku.clone(), item.price)).collect();
        stream::iter(wanted).map(one).buffer_unordered(CALLS_AT_ONCE).try_collect().await
    }

    async fn price_one(&self, sku: &Sku, price: i64) -> Result<()> {
        let found = self.listed().get(sku).cloned();
        let listed = found.ok_or_else(|| anyhow!("the product {sku} is not listed"))?;
        let mut prices = listed.others;
        prices.push(self.money(price));
        let call =
            Call::patch(format!("/v1/products/{}", listed.product_id), As::Staff, json!({"prices": prices}));
        let changed = self.shop.send(&call).await;
        changed.map_err(|failure| failure.fatal(&format!("the price of {sku} cannot be changed")))?;
        if let Some(listed) = self.listed().get_mut(sku) {
            listed.price = Some(price);
        }
        Ok(())
    }

    fn money(&self, amount: i64) -> Value {
        json!({"amount": amount, "currency": self.currency.code()})
    }

    fn listed(&self) -> MutexGuard<'_, HashMap<Sku, Listed>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
