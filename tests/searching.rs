//! What an operator does about the search engine: looks at what it refuses, has it written again, and builds the index anew.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::shop::{DEADLINE, Shop, scaled};

/// The shop's OpenSearch, asked past the shop.
struct Engine {
    url: String,
    index: String,
}

impl Engine {
    fn of(shop: &Shop) -> Self {
        let url = shop.setting("OPENSEARCH_URL");
        Self { url, index: format!("{}-products-1", shop.setting("OPENSEARCH_INDEX")) }
    }

    /// As it makes itself when its disk is nearly full: nothing is written to it, and what it has can be asked for.
    async fn is_full(&self, shop: &Shop, full: bool) {
        let settings = json!({"index.blocks.read_only_allow_delete": full.then_some(true)});
        let answer = shop.http.put(format!("{}/{}/_settings", self.url, self.index)).json(&settings);
        let answer = answer.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Whether it takes products with a price in a currency that no product has had yet.
    async fn takes_new_currencies(&self, shop: &Shop, yes: bool) {
        let dynamic = if yes { "true" } else { "strict" };
        let mapping = json!({"properties": {"prices": {"type": "object", "dynamic": dynamic}}});
        let answer = shop.http.put(format!("{}/{}/_mapping", self.url, self.index)).json(&mapping);
        let answer = answer.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}

/// What is parked of the search index.
async fn parked(shop: &Shop) -> Vec<Value> {
    let (code, text) = shop.run(&["projection", "parked", "--json"]).await;
    assert_eq!(code, 0, "{text}");
    let all: Vec<Value> = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    all.into_iter().filter(|one| one["model"] == "search").collect()
}

/// Until so much is parked.
async fn parked_are(shop: &Shop, wanted: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let found = parked(shop).await;
        if found.len() == wanted {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "{wanted} should be parked: {found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn receive(shop: &Shop, staff: &str, sku: &str, quantity: u32) {
    let receipt = json!({"quantity": quantity, "reason": "test"});
    shop.post(&format!("/v1/stock/{sku}/receipts"), Some(staff), receipt).await.ok();
}

/// The SKUs of the tests' brand, as the search engine has them.
async fn listed(shop: &Shop) -> Vec<String> {
    shop.searchable().await;
    let found = shop.get("/v1/products?brand=Test&limit=100", None, None).await.expect(200).body;
    let items = found["items"].as_array().unwrap().iter();
    let mut skus: Vec<_> = items.map(|item| item["sku"].as_str().unwrap().to_owned()).collect();
    skus.sort();
    skus
}

#[tokio::test(flavor = "multi_thread")]
async fn what_search_refuses_is_shown_and_written_again_and_its_index_is_built_anew() {
    if !scaled() {
        println!("only for a shop that is scaled out");
        return;
    }
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sound = shop.product(&staff, 5_000, 7).await;
    shop.searchable().await;
    let engine = Engine::of(&shop);

    engine.takes_new_currencies(&shop, false).await;
    let spoilt = shop.priced(&staff, json!([{"amount": 5_000, "currency": "NZD"}]), 7).await;
    receive(&shop, &staff, &sound, 5).await;
    let found = parked_are(&shop, 1).await;
    let stream = found[0]["stream"].as_str().unwrap();
    assert!(found[0]["error"].as_str().unwrap().contains("NZD"), "{found:?}");
    let (code, text) = shop.run(&["verify", "--search"]).await;
    assert_eq!(code, 1, "{text}");

    engine.takes_new_currencies(&shop, true).await;
    let (code, text) = shop.run(&["projection", "retry", "search", stream, "--json"]).await;
    assert_eq!((code, text.trim()), (0, r#"{"model":"search","retried":1}"#));
    parked_are(&shop, 0).await;
    let (code, text) = shop.run(&["projection", "retry", "search", stream]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("is not parked"), "{text}");

    let (code, text) = shop.run(&["projection", "rebuild", "search", "--json"]).await;
    assert_eq!(code, 0, "{text}");
    let said: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&said["models"][0]["swapped"], &said["models"][0]["replaced"]),
        (&json!(true), &json!(engine.index))
    );
    let mut wanted = [sound, spoilt.clone()];
    wanted.sort();
    assert_eq!(listed(&shop).await, wanted);
    // What comes afterwards goes to the new index.
    receive(&shop, &staff, &spoilt, 1).await;
    shop.searchable().await;
    let (code, text) = shop.run(&["verify", "--search"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_engine_whose_disk_is_full_holds_up_no_order_and_catches_up_afterwards() {
    if !scaled() {
        println!("only for a shop that is scaled out");
        return;
    }
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 5_000, 7).await;
    shop.searchable().await;
    let engine = Engine::of(&shop);

    engine.is_full(&shop, true).await;
    let (cart, guest) = shop.guest_cart(&sku, 1).await;
    let placed = shop.order(&cart, &guest, "approve", 10).await.ok();
    shop.wait_for_status(&placed.text("/order_id"), &guest, "confirmed").await;
    // Where the engine cannot come, the rows answer.
    let late = shop.product(&staff, 5_000, 7).await;
    let now = shop.now().await.unwrap();
    let begun = Instant::now();
    let answer = loop {
        let asked = shop.http.get(format!("{}/v1/products?brand=Test&limit=100", shop.query_url()));
        let answer = asked.header("Consistency-Token", &now).send().await.unwrap();
        if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
            break answer;
        }
        assert!(begun.elapsed() < DEADLINE, "{answer:?}");
    };
    assert!(answer.status().is_success() && answer.headers().contains_key("Search-Fallback"), "{answer:?}");
    let found: Value = answer.json().await.unwrap();
    let skus: Vec<_> = found["items"].as_array().unwrap().iter().map(|item| item["sku"].clone()).collect();
    assert!(skus.contains(&json!(late)) && skus.contains(&json!(sku)), "{found}");
    assert_eq!(parked(&shop).await, Vec::<Value>::new(), "it is the engine, and no document");

    engine.is_full(&shop, false).await;
    let mut wanted = [sku, late];
    wanted.sort();
    assert_eq!(listed(&shop).await, wanted);
    let (code, text) = shop.run(&["verify", "--search"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}
