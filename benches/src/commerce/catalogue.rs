//! What is sold: the products of `benches/commerce/names.js`, made over HTTP, and where the pages of the lists begin.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;

use super::wire::{Call, Connection};
use crate::Shop;

pub(super) const PRODUCTS: usize = 5_000;
/// Buyers take two of so many.
pub(super) const BOUGHT: usize = 1_000;
const PLENTY: u32 = 1_000_000;
const SEEDING_AT_ONCE: usize = 32;
const LIST_PAGES: usize = 200;
const SEARCH_PAGES: usize = 5;

const FIRST: &str = "amber azure birch coral crimson dusty ebony forest golden indigo ivory jade lemon maroon navy ochre pearl ruby silver teal";
const SECOND: &str = "classic compact cosy everyday folding garden heavy kitchen light mountain office outdoor pocket retro soft sport travel urban vintage winter";
const THIRD: &str = "backpack basket blanket bottle bowl candle chair clock cushion jacket kettle knife lamp mirror notebook pan scarf table towel vase";

/// The list, from its beginning.
pub(super) const FIRST_PAGE: &str = "/v1/products?locale=en&limit=20";

/// Paths of all that is read.
pub(super) struct Pages {
    pub(super) list: Vec<String>,
    pub(super) search: Vec<String>,
    /// The first pages of searches.
    pub(super) words: Vec<String>,
    pub(super) products: Vec<String>,
}

fn word(words: &str, number: usize) -> &str {
    words.split(' ').nth(number % 20).unwrap_or_default()
}

/// Twenty words in each of three places, so that a word of the last two finds about one product in twenty.
fn name(number: usize) -> String {
    let mixed = (number * 7919) % 8000;
    format!("{} {} {} {number}", word(FIRST, mixed), word(SECOND, mixed / 20), word(THIRD, mixed / 400))
}

pub(super) fn sku(number: usize) -> String {
    format!("P-{number:05}")
}

/// A member of the staff, who fills the shop.
pub(super) struct Staff {
    connection: Connection,
    token: String,
}

impl Staff {
    pub(super) async fn sign_in(shop: &Shop) -> Result<Self> {
        let mut connection = Connection::open(&shop.command_url).await?;
        let (email, password) = &shop.staff;
        let body = serde_json::json!({"email": email, "password": password}).to_string();
        let call = Call { method: "POST", path: "/v1/sessions", body: &body, ..Call::default() };
        let token = connection.succeed(call).await?.text("access_token")?.to_owned();
        Ok(Self { connection, token })
    }

    /// The same person on another connection: not everybody may sign in at once.
    async fn again(&self, shop: &Shop) -> Result<Self> {
        Ok(Self { connection: Connection::open(&shop.command_url).await?, token: self.token.clone() })
    }

    async fn says(&mut self, path: &str, body: &str) -> Result<(String, String)> {
        let call = Call { method: "POST", path, bearer: Some(&self.token), body, ..Call::default() };
        let answer = self.connection.succeed(call).await?;
        let token = answer.header("consistency-token").unwrap_or_default().to_owned();
        Ok((answer.text("product_id").unwrap_or_default().to_owned(), token))
    }

    /// A published product with so many pieces. The token after which queries show it.
    async fn adds(&mut self, sku: &str, name: &str, number: usize, pieces: u32) -> Result<String> {
        let (section, shelf, brand, colour) = (number % 10, number % 50, number % 40, word(FIRST, number));
        let price = 10_000 + (number * 7919 % 8000) * 10;
        let product = serde_json::json!({
            "sku": sku, "name": {"en": name}, "description": {"en": format!("The {name}: made to last, easy to care for.")},
            "category": format!("section-{section}/shelf-{shelf}"), "brand": format!("Brand {brand}"),
            "attributes": {"tint": colour}, "prices": [{"amount": price, "currency": "KRW"}], "images": [],
        });
        let (id, _) = self.says("/v1/products", &product.to_string()).await?;
        let receipt = format!("{{\"quantity\":{pieces},\"reason\":\"bench\"}}");
        self.says(&format!("/v1/stock/{sku}/receipts"), &receipt).await?;
        Ok(self.says(&format!("/v1/products/{id}/publish"), "{}").await?.1)
    }

    /// A new product with few pieces: its SKU.
    pub(super) async fn adds_scarce(&mut self, pieces: u32) -> Result<String> {
        let sku = format!("HOT-{}", uuid::Uuid::new_v4().simple()).to_uppercase();
        self.adds(&sku, "Limited drop", 0, pieces).await?;
        Ok(sku)
    }
}

/// Makes the products, unless an earlier run has.
pub(super) async fn seed(shop: &Shop) -> Result<()> {
    let mut query = Connection::open(&shop.query_url).await?;
    let last = format!("/v1/products?q={}", sku(PRODUCTS - 1));
    let call = Call { method: "GET", path: &last, ..Call::default() };
    if !query.succeed(call).await?.body.contains("\"items\":[]") {
        return Ok(());
    }
    let (signed_in, next) = (Staff::sign_in(shop).await?, AtomicUsize::new(0));
    let seeding = (0..SEEDING_AT_ONCE).map(|_| async {
        let (mut staff, mut token) = (signed_in.again(shop).await?, String::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= PRODUCTS {
                return anyhow::Ok(token);
            }
            token = staff.adds(&sku(number), &name(number), number, PLENTY).await?;
        }
    });
    for token in try_join_all(seeding).await? {
        shown(&mut query, &token).await?;
    }
    Ok(())
}

/// Waits until queries show what that token stands for.
async fn shown(query: &mut Connection, token: &str) -> Result<()> {
    let headers = format!("consistency-token: {token}\r\n");
    for _ in 0..60 {
        let call = Call { method: "GET", path: "/v1/products?limit=1", headers: &headers, ..Call::default() };
        if query.call(call).await?.is_success() {
            return Ok(());
        }
    }
    anyhow::bail!("the read models do not catch up")
}

impl Pages {
    /// Goes through the lists once, as a client would, and remembers the way: a page is asked for with the cursor of the one
    /// before.
    pub(super) async fn walk(shop: &Shop) -> Result<Self> {
        let mut query = Connection::open(&shop.query_url).await?;
        let list = walk(&mut query, FIRST_PAGE, LIST_PAGES).await?;
        let (mut search, mut words) = (Vec::new(), Vec::new());
        for word in [SECOND, THIRD].into_iter().flat_map(|words| words.split(' ')) {
            let first = format!("/v1/products?q={word}&locale=en&limit=20");
            search.extend(walk(&mut query, &first, SEARCH_PAGES).await?);
            words.push(first);
        }
        let mut products = Vec::new();
        for page in list.iter().take(BOUGHT / 20) {
            let call = Call { method: "GET", path: page, ..Call::default() };
            let answer = query.succeed(call).await?;
            let ids =
                answer.body.split("\"product_id\":\"").skip(1).filter_map(|rest| rest.split('"').next());
            products.extend(ids.map(|id| format!("/v1/products/{id}")));
        }
        ensure!(products.len() == BOUGHT, "{} products were found", products.len());
        Ok(Self { list, search, words, products })
    }
}

async fn walk(query: &mut Connection, first: &str, pages: usize) -> Result<Vec<String>> {
    let mut paths = vec![first.to_owned()];
    while paths.len() < pages {
        let path = paths.last().map_or(first, String::as_str);
        let answer = query.succeed(Call { method: "GET", path, ..Call::default() }).await?;
        let cursor = answer.text("next_cursor").with_context(|| format!("{first} has too few pages"))?;
        paths.push(format!("{first}&cursor={cursor}"));
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_finds_about_one_product_in_twenty() {
        let names: Vec<String> = (0..PRODUCTS).map(name).collect();
        for word in [SECOND, THIRD].into_iter().flat_map(|words| words.split(' ')) {
            let found = names.iter().filter(|name| name.split(' ').any(|own| own == word)).count();
            assert!((200..=300).contains(&found), "{word}: {found}");
        }
    }
}
