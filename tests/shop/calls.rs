//! Calls of a shop's public surface.

use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{Answer, DEADLINE, Shop};

impl Shop {
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request.send().await.unwrap()).await
    }

    /// A call of the command API.
    pub(crate) async fn command(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: Value,
    ) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.command_url())).json(&body);
        self.send(with_bearer(request, bearer)).await
    }

    pub(crate) async fn post(&self, path: &str, bearer: Option<&str>, body: Value) -> Answer {
        self.command(Method::POST, path, bearer, body).await
    }

    /// A call of the query API that waits for what `after` has written; where nodes differ in how far they are, for all that has
    /// happened.
    pub(crate) async fn get(&self, path: &str, bearer: Option<&str>, after: Option<&str>) -> Answer {
        let begun = Instant::now();
        let now = if after.is_none() { self.now().await } else { None };
        loop {
            let mut request = self.http.get(format!("{}{path}", self.query_url()));
            if let Some(token) = after.or(now.as_deref()) {
                request = request.header("Consistency-Token", token);
            }
            let answer = match with_bearer(request, bearer).send().await {
                Ok(answer) => Answer::read(answer).await,
                // The node is down: a load balancer would ask the next one.
                Err(error) if error.is_connect() && begun.elapsed() < DEADLINE => continue,
                Err(error) => panic!("{path}: {error}"),
            };
            if answer.status != StatusCode::SERVICE_UNAVAILABLE || begun.elapsed() > DEADLINE {
                return answer;
            }
        }
    }

    /// Signs a demo person in; the access token.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> String {
        self.post("/v1/sessions", None, json!({"email": email, "password": password}))
            .await
            .expect(201)
            .text("/access_token")
    }

    /// A token of the demo's staff.
    pub(crate) async fn staff(&self) -> String {
        self.demo("staff").await
    }

    /// A token of one of the demo's people: `staff`, `auditor`, `analyst` or `customer`.
    pub(crate) async fn demo(&self, role: &str) -> String {
        let people: Value =
            serde_json::from_slice(&std::fs::read(self.data_dir.join("demo.json")).unwrap()).unwrap();
        let person = &people[role];
        self.sign_in(person["email"].as_str().unwrap(), person["password"].as_str().unwrap()).await
    }

    /// A new published product with that much stock; its SKU.
    pub(crate) async fn product(&self, staff: &str, price: i64, pieces: u32) -> String {
        self.priced(staff, json!([{"amount": price, "currency": "KRW"}]), pieces).await
    }

    /// The same, with these prices.
    pub(crate) async fn priced(&self, staff: &str, prices: Value, pieces: u32) -> String {
        let sku = format!("TEST-{}", uuid::Uuid::new_v4().simple());
        let product = json!({"sku": sku, "name": {"ko": "시험 상품", "en": "Test product"}, "description": {"ko": "시험"},
            "category": "test", "brand": "Test", "attributes": {}, "prices": prices, "images": []});
        let id = self.post("/v1/products", Some(staff), product).await.expect(201).text("/product_id");
        self.post(&format!("/v1/products/{id}/publish"), Some(staff), json!({})).await.ok();
        if pieces > 0 {
            let receipt = json!({"quantity": pieces, "reason": "test"});
            self.post(&format!("/v1/stock/{sku}/receipts"), Some(staff), receipt).await.ok();
        }
        sku
    }

    /// A guest's cart with that in it; the cart's id and the guest's token.
    pub(crate) async fn guest_cart(&self, sku: &str, quantity: u32) -> (String, String) {
        let cart = self.post("/v1/carts", None, json!({"currency": "KRW", "locale": "ko"})).await.expect(201);
        let (id, guest) = (cart.text("/cart_id"), cart.text("/guest_token"));
        let path = format!("/v1/carts/{id}/items/{sku}");
        self.command(Method::PUT, &path, Some(&guest), json!({"quantity": quantity})).await.ok();
        (id, guest)
    }

    /// A guest's order for that cart, answered when it is settled.
    pub(crate) async fn order(&self, cart: &str, guest: &str, payment_token: &str, wait: u32) -> Answer {
        let request = self
            .http
            .post(format!("{}/v1/orders", self.command_url()))
            .header("Prefer", format!("wait={wait}"))
            .json(&order_body(cart, payment_token));
        self.send(with_bearer(request, Some(guest))).await
    }

    /// Waits until an order has that status.
    pub(crate) async fn wait_for_status(&self, order: &str, bearer: &str, wanted: &str) -> Answer {
        let begun = Instant::now();
        loop {
            let answer = self.get(&format!("/v1/orders/{order}"), Some(bearer), None).await;
            if answer.status == StatusCode::OK && answer.text("/status") == wanted {
                return answer;
            }
            assert!(begun.elapsed() < DEADLINE, "{order} is not {wanted}: {answer:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the sandbox gateway has written down.
    pub(crate) async fn ledger(&self) -> Value {
        let run: Value =
            serde_json::from_slice(&std::fs::read(self.data_dir.join("run.json")).unwrap()).unwrap();
        let url = format!("{}/v1/ledger", run["sandbox_url"].as_str().unwrap());
        self.send(self.http.get(url)).await.expect(200).body
    }
}

pub(crate) fn order_body(cart: &str, payment_token: &str) -> Value {
    json!({
        "cart_id": cart,
        "contact": {"email": "guest@example.com", "name": "홍길동", "phone": "+821012345678"},
        "shipping_address": {"recipient": "홍길동", "line1": "세종대로 110", "city": "서울", "postal_code": "04524", "country": "KR"},
        "payment": {"gateway": "sandbox", "token": payment_token},
    })
}

fn with_bearer(request: RequestBuilder, bearer: Option<&str>) -> RequestBuilder {
    match bearer {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}
