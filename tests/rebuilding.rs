//! All read models are built anew while invoices are imported and clients ask all the time: nobody notices.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::import::invoices;
use crate::shop::{DEADLINE, Shop};

/// A query node lets a query with a token wait no longer than this; then it says so, and is asked again.
const WAIT_MAX: Duration = Duration::from_secs(4);

/// Somebody who changes a cart and looks at it at once, and at the catalogue, again and again.
struct Visitor {
    stopped: Arc<AtomicBool>,
    running: JoinHandle<(u32, Vec<String>)>,
}

impl Visitor {
    async fn start(shop: &Arc<Shop>, sku: &str) -> Self {
        let (cart, guest) = shop.guest_cart(sku, 1).await;
        let stopped = Arc::new(AtomicBool::new(false));
        let (told, shop, sku) = (Arc::clone(&stopped), Arc::clone(shop), sku.to_owned());
        let running = tokio::spawn(async move {
            let (mut looks, mut wrong) = (0, Vec::new());
            while !told.load(Ordering::Relaxed) {
                looks += 1;
                wrong.extend(look(&shop, &cart, &guest, &sku, 1 + looks % 9).await.err());
            }
            (looks, wrong)
        });
        Self { stopped, running }
    }

    /// How often it looked, and what was wrong.
    async fn stop(self) -> (u32, Vec<String>) {
        self.stopped.store(true, Ordering::Relaxed);
        self.running.await.unwrap()
    }
}

/// One change, and what is shown right after it.
async fn look(shop: &Shop, cart: &str, guest: &str, sku: &str, quantity: u32) -> Result<(), String> {
    let path = format!("/v1/carts/{cart}/items/{sku}");
    let put = shop.command(Method::PUT, &path, Some(guest), json!({"quantity": quantity})).await.ok();
    let token = put.token.ok_or("no token")?;
    let shown = asked(shop, &format!("/v1/carts/{cart}"), Some(guest), Some(&token)).await?;
    if shown["items"][0]["quantity"] != quantity {
        return Err(format!("older than its token, {quantity} wanted: {shown}"));
    }
    let found = asked(shop, "/v1/products?limit=1", None, None).await?;
    match found["items"].as_array() {
        Some(items) if items.len() == 1 => Ok(()),
        _ => Err(format!("an empty catalogue: {found}")),
    }
}

/// One query. Whoever is told to ask again, since the answer would be older than the token, does so; whatever else is no answer is wrong.
async fn asked(shop: &Shop, path: &str, bearer: Option<&str>, token: Option<&str>) -> Result<Value, String> {
    let asked_first = Instant::now();
    loop {
        let mut request = shop.http.get(format!("{}{path}", shop.query_url()));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if let Some(token) = token {
            request = request.header("Consistency-Token", token);
        }
        let begun = Instant::now();
        let answer = request.send().await.map_err(|error| format!("{path}: {error}"))?;
        let again = answer.headers().contains_key("retry-after");
        let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
        let early = token.is_some() && again && text.contains("not-yet-consistent");
        if early && asked_first.elapsed() < DEADLINE {
            continue;
        }
        if !status.is_success() || begun.elapsed() > WAIT_MAX {
            return Err(format!("{path}: {status} after {:?}: {text}", begun.elapsed()));
        }
        return serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"));
    }
}

async fn import(shop: &Shop, file: &Path) -> std::process::Output {
    shop.tool(&["import", "invoices", &file.display().to_string(), "--json"]).output().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_read_models_are_rebuilt_during_an_import_and_nobody_notices() {
    let shop = Arc::new(Shop::open().await);
    let sku = shop.product(&shop.staff().await, 5_000, 1_000).await;
    let importing = {
        let (shop, file) = (Arc::clone(&shop), invoices());
        tokio::spawn(async move { import(&shop, &file).await })
    };
    let visitor = Visitor::start(&shop, &sku).await;
    let begun = Instant::now();
    let mut rebuilds = 0;
    // Again and again until the import is over, and once at least.
    while rebuilds == 0 || !importing.is_finished() {
        let (code, text) = shop.run(&["projection", "rebuild", "--all", "--json"]).await;
        assert_eq!(code, 0, "{text}");
        rebuilds += 1;
        assert!(begun.elapsed() < DEADLINE * 10, "the import does not end");
    }
    let imported = importing.await.unwrap();
    let said = String::from_utf8_lossy(&imported.stdout);
    let summary = said.lines().rfind(|line| line.starts_with('{')).unwrap_or_default();
    let summary: Value = serde_json::from_str(summary).unwrap();
    assert_eq!(summary["equal"], true, "{summary:#}");
    let (looks, wrong) = visitor.stop().await;
    println!("{rebuilds} rebuilds of all read models, {looks} looks");
    assert_eq!(wrong, Vec::<String>::new());
    let (code, text) = shop.run(&["verify"]).await;
    assert_eq!(code, 0, "{text}");
    Arc::into_inner(shop).unwrap().close().await;
}
