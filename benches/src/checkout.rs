//! A whole guest checkout over HTTP: cart, one item, order; acknowledged when the order is in the log.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Shop;
use crate::load::{Figures, drive};

pub(crate) struct Bench {
    http: reqwest::Client,
    command_url: String,
    skus: Arc<Vec<String>>,
}

impl Bench {
    /// Twenty products with plenty of stock.
    pub(crate) async fn open(shop: &Shop) -> Result<Self> {
        let http = reqwest::Client::builder().pool_max_idle_per_host(256).build()?;
        ensure!(
            http.get(format!("{}/readyz", shop.query_url)).send().await?.status().is_success(),
            "not ready"
        );
        let url = &shop.command_url;
        let (email, password) = &shop.staff;
        let session =
            post(&http, &format!("{url}/v1/sessions"), None, json!({"email": email, "password": password}))
                .await?;
        let token = text(&session, "access_token")?;
        let mut skus = Vec::new();
        for number in 0..20 {
            let sku = format!("BENCH-{number:02}-{}", uuid::Uuid::new_v4().simple());
            let product = json!({"sku": sku, "name": {"en": format!("Bench product {number}")}, "description": {"en": "For measuring."},
                "category": "bench", "brand": "Bench", "attributes": {}, "prices": [{"amount": 1000, "currency": "KRW"}], "images": []});
            let product = post(&http, &format!("{url}/v1/products"), Some(&token), product).await?;
            let id = text(&product, "product_id")?;
            post(&http, &format!("{url}/v1/products/{id}/publish"), Some(&token), json!({})).await?;
            let receipt = json!({"quantity": 1_000_000, "reason": "bench"});
            post(&http, &format!("{url}/v1/stock/{sku}/receipts"), Some(&token), receipt).await?;
            skus.push(sku);
        }
        Ok(Self { http, command_url: url.clone(), skus: Arc::new(skus) })
    }

    pub(crate) async fn measure(&self, clients: usize, time: Duration) -> Result<Figures> {
        let (http, url, skus) = (self.http.clone(), self.command_url.clone(), Arc::clone(&self.skus));
        drive(clients, time, move |client| {
            let (http, url, skus) = (http.clone(), url.clone(), Arc::clone(&skus));
            async move { check_out(&http, &url, &skus[client % skus.len()]).await }
        })
        .await
    }
}

async fn check_out(http: &reqwest::Client, url: &str, sku: &str) -> Result<()> {
    let cart = post(http, &format!("{url}/v1/carts"), None, json!({"currency": "KRW"})).await?;
    let (id, guest) = (text(&cart, "cart_id")?, text(&cart, "guest_token")?);
    let item = http
        .put(format!("{url}/v1/carts/{id}/items/{sku}"))
        .bearer_auth(&guest)
        .json(&json!({"quantity": 1}));
    let answer = item.send().await?;
    ensure!(answer.status().is_success(), "{}", answer.text().await?);
    answer.bytes().await?;
    let order = json!({
        "cart_id": id,
        "contact": {"email": "bench@example.com", "name": "Bench"},
        "shipping_address": {"recipient": "Bench", "line1": "1 Road", "city": "Seoul", "postal_code": "04524", "country": "KR"},
        "payment": {"gateway": "sandbox", "token": "approve"},
    });
    post(http, &format!("{url}/v1/orders"), Some(&guest), order).await.map(drop)
}

async fn post(http: &reqwest::Client, url: &str, bearer: Option<&str>, body: Value) -> Result<Value> {
    let mut request = http.post(url).json(&body);
    if let Some(token) = bearer {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await?;
    let status = answer.status();
    let body = answer.text().await?;
    ensure!(status.is_success(), "{url}: {status} {body}");
    Ok(serde_json::from_str(&body).unwrap_or(Value::Null))
}

fn text(value: &Value, name: &str) -> Result<String> {
    Ok(value[name].as_str().with_context(|| format!("{name} is missing in {value}"))?.to_owned())
}
