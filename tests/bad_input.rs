//! Whatever is wrong with a request is named in a problem document, and nothing has changed.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection;

use crate::shop::{Answer, Shop, order_body};

/// How many events people have caused. What the system does by itself (notices, payments) goes on meanwhile.
async fn events_of_people(shop: &Shop) -> i64 {
    let mut database = sqlx::PgConnection::connect(&shop.database_url).await.unwrap();
    let count =
        "SELECT count(*) FROM log.events WHERE metadata->'actor'->>'kind' IN ('guest', 'customer', 'staff')";
    sqlx::query_scalar(count).fetch_one(&mut database).await.unwrap()
}

/// One bad request, and what is said to it.
struct Bad {
    what: &'static str,
    method: Method,
    path: String,
    bearer: Option<String>,
    body: String,
    status: u16,
    code: Option<&'static str>,
    pointer: Option<&'static str>,
}

fn bad(
    what: &'static str,
    method: Method,
    path: impl Into<String>,
    body: impl Into<String>,
    status: u16,
) -> Bad {
    let (path, body) = (path.into(), body.into());
    Bad { what, method, path, bearer: None, body, status, code: None, pointer: None }
}

impl Bad {
    fn by(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }
    fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
    fn at(mut self, pointer: &'static str) -> Self {
        self.pointer = Some(pointer);
        self
    }

    async fn check(&self, shop: &Shop) {
        let mut request = shop
            .http
            .request(self.method.clone(), format!("{}{}", shop.command_url(), self.path))
            .header("Content-Type", "application/json")
            .body(self.body.clone());
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        let answer = shop.send(request).await;
        self.compare(&answer);
    }

    fn compare(&self, answer: &Answer) {
        let what = self.what;
        assert_eq!(answer.status.as_u16(), self.status, "{what}: {answer:#?}");
        for member in ["type", "title", "status", "detail", "code"] {
            assert!(!answer.body[member].is_null(), "{what}: {member} is missing in {answer:#?}");
        }
        if let Some(code) = self.code {
            assert_eq!(answer.body["code"], code, "{what}: {answer:#?}");
        }
        if let Some(pointer) = self.pointer {
            let named = answer.body["errors"]
                .as_array()
                .is_some_and(|errors| errors.iter().any(|e| e["pointer"] == pointer));
            assert!(named, "{what}: {pointer} is not named in {answer:#?}");
        }
    }
}

fn customer(name: &str) -> String {
    json!({"email": format!("{}@example.com", uuid::Uuid::new_v4().simple()), "password": "correct horse battery", "name": name})
        .to_string()
}

fn product(change: impl FnOnce(&mut Value)) -> String {
    let mut product = json!({"sku": "BAD-1", "name": {"ko": "상품"}, "description": {"ko": "설명"}, "category": "test",
        "brand": "Test", "attributes": {}, "prices": [{"amount": 1000, "currency": "KRW"}], "images": []});
    change(&mut product);
    product.to_string()
}

fn order(cart: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut order = order_body(cart, "approve");
    change(&mut order);
    order.to_string()
}

fn bodies(cart: &str, guest: &str, sku: &str) -> Vec<Bad> {
    let (put, item) = (Method::PUT, format!("/v1/carts/{cart}/items/{sku}"));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    vec![
        bad("broken JSON", Method::POST, "/v1/carts", "{\"currency\": \"KRW\"", 400).code("malformed-json"),
        bad("nested too deep", Method::POST, "/v1/carts", deep, 400).code("malformed-json"),
        bad("an unknown field", Method::POST, "/v1/carts", "{\"colour\": \"red\"}", 422).at("/colour"),
        bad(
            "a body that is too large",
            Method::POST,
            "/v1/carts",
            format!("{{\"locale\": \"{}\"}}", "x".repeat(2 << 20)),
            413,
        )
        .code("body-too-large"),
        bad("no such currency", Method::POST, "/v1/carts", "{\"currency\": \"XYZ\"}", 422).at("/currency"),
        bad("a negative quantity", put.clone(), &item, "{\"quantity\": -1}", 422).by(guest),
        bad("no pieces", put.clone(), &item, "{\"quantity\": 0}", 422).by(guest).at("/quantity"),
        bad("too many pieces", put.clone(), &item, "{\"quantity\": 10000}", 422).by(guest).at("/quantity"),
        bad("an overflowing quantity", put.clone(), &item, "{\"quantity\": 99999999999999999999}", 422)
            .by(guest),
        bad("a broken piece", put.clone(), &item, "{\"quantity\": 1.5}", 422).by(guest),
        bad("an unknown SKU", put, format!("/v1/carts/{cart}/items/NO-SUCH-SKU"), "{\"quantity\": 1}", 404)
            .by(guest)
            .code("unknown-sku"),
        bad(
            "no contact",
            Method::POST,
            "/v1/orders",
            order(cart, |o| drop(o.as_object_mut().unwrap().remove("contact"))),
            422,
        )
        .by(guest)
        .at("/contact"),
        bad(
            "no such country",
            Method::POST,
            "/v1/orders",
            order(cart, |o| o["shipping_address"]["country"] = json!("Korea")),
            422,
        )
        .by(guest)
        .at("/shipping_address/country"),
        bad(
            "no such gateway",
            Method::POST,
            "/v1/orders",
            order(cart, |o| o["payment"]["gateway"] = json!("nobody")),
            422,
        )
        .by(guest)
        .at("/payment/gateway"),
        bad(
            "a card number",
            Method::POST,
            "/v1/orders",
            order(cart, |o| o["payment"]["token"] = json!("4242 4242 4242 4242")),
            422,
        )
        .by(guest)
        .code("card-number"),
        bad(
            "no such way to send",
            Method::POST,
            "/v1/orders",
            order(cart, |o| o["shipping_method"] = json!("rocket")),
            422,
        )
        .by(guest)
        .at("/shipping_method"),
        bad(
            "a name of 10,000 characters",
            Method::POST,
            "/v1/customers",
            customer(&"가".repeat(10_000)),
            422,
        )
        .at("/name"),
        bad("a NUL in a name", Method::POST, "/v1/customers", customer("a\u{0}b"), 422).at("/name"),
        bad(
            "a short password",
            Method::POST,
            "/v1/customers",
            "{\"email\": \"a@example.com\", \"password\": \"short\", \"name\": \"A\"}",
            422,
        )
        .at("/password"),
        bad(
            "no e-mail address",
            Method::POST,
            "/v1/customers",
            "{\"email\": \"nobody\", \"password\": \"correct horse battery\", \"name\": \"A\"}",
            422,
        )
        .at("/email"),
    ]
}

fn of_staff(staff: &str, order_id: &str, sku: &str) -> Vec<Bad> {
    let refunds = format!("/v1/orders/{order_id}/refunds");
    let receipts = format!("/v1/stock/{sku}/receipts");
    vec![
        bad(
            "a negative price",
            Method::POST,
            "/v1/products",
            product(|p| p["prices"][0]["amount"] = json!(-1)),
            422,
        )
        .at("/prices"),
        bad(
            "an overflowing price",
            Method::POST,
            "/v1/products",
            product(|p| p["prices"][0]["amount"] = json!(1e30)),
            422,
        ),
        bad(
            "two prices in one currency",
            Method::POST,
            "/v1/products",
            product(|p| {
                p["prices"] = json!([{"amount": 1, "currency": "KRW"}, {"amount": 2, "currency": "KRW"}]);
            }),
            422,
        )
        .at("/prices"),
        bad("no name", Method::POST, "/v1/products", product(|p| p["name"] = json!({})), 422).at("/name"),
        bad("a SKU that is taken", Method::POST, "/v1/products", product(|p| p["sku"] = json!(sku)), 409)
            .code("sku-taken"),
        bad("a negative receipt", Method::POST, &receipts, "{\"quantity\": -5}", 422),
        bad("an overflowing receipt", Method::POST, &receipts, "{\"quantity\": 4294967295}", 422)
            .at("/quantity"),
        bad(
            "stock of an unknown SKU",
            Method::POST,
            "/v1/stock/NO-SUCH-SKU/receipts",
            "{\"quantity\": 1}",
            404,
        )
        .code("unknown-sku"),
        bad(
            "another currency",
            Method::POST,
            &refunds,
            "{\"amount\": {\"amount\": 1, \"currency\": \"USD\"}, \"reason\": \"x\"}",
            409,
        ),
        bad(
            "a refund of nothing",
            Method::POST,
            &refunds,
            "{\"amount\": {\"amount\": -1, \"currency\": \"KRW\"}, \"reason\": \"x\"}",
            409,
        ),
    ]
    .into_iter()
    .map(|bad| bad.by(staff))
    .collect()
}

fn of_strangers(cart: &str, order_id: &str, sku: &str, stranger: &str, token_of_customer: &str) -> Vec<Bad> {
    let item = format!("/v1/carts/{cart}/items/{sku}");
    let forged = format!("{}x", &stranger[..stranger.len() - 1]);
    // {"alg":"none","typ":"at+jwt"} and the stranger's own claims.
    let unsigned =
        format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{}.", stranger.split('.').nth(1).unwrap());
    vec![
        bad("somebody else's cart", Method::PUT, &item, "{\"quantity\": 1}", 404)
            .by(stranger)
            .code("not-found"),
        bad("a guest's cart by a customer", Method::PUT, &item, "{\"quantity\": 1}", 404)
            .by(token_of_customer)
            .code("not-found"),
        bad("somebody else's cart as an order", Method::POST, "/v1/orders", order(cart, |_| {}), 404)
            .by(stranger),
        bad(
            "somebody else's order called off",
            Method::POST,
            format!("/v1/orders/{order_id}/cancel"),
            "{\"reason\": \"x\"}",
            404,
        )
        .by(stranger),
        bad(
            "somebody else's order returned",
            Method::POST,
            format!("/v1/orders/{order_id}/returns"),
            "{\"reason\": \"x\"}",
            404,
        )
        .by(token_of_customer),
        bad("no token", Method::PUT, &item, "{\"quantity\": 1}", 401).code("unauthenticated"),
        bad("a forged token", Method::PUT, &item, "{\"quantity\": 1}", 401)
            .by(&forged)
            .code("unauthenticated"),
        bad("an unsigned token", Method::PUT, &item, "{\"quantity\": 1}", 401)
            .by(&unsigned)
            .code("unauthenticated"),
        bad("a customer as staff", Method::POST, "/v1/products", product(|_| {}), 403)
            .by(token_of_customer)
            .code("forbidden"),
        bad("a guest as staff", Method::POST, format!("/v1/stock/{sku}/receipts"), "{\"quantity\": 1}", 403)
            .by(stranger)
            .code("forbidden"),
        bad("a forged webhook", Method::POST, "/v1/webhooks/sandbox", "{\"id\": \"evt_1\"}", 401),
        bad("a webhook of nobody", Method::POST, "/v1/webhooks/nobody", "{}", 404),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_named_and_changes_nothing() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 10_000, 50).await;
    let (cart, guest) = shop.guest_cart(&sku, 1).await;
    let (_, stranger) = shop.guest_cart(&sku, 1).await;
    let (bought, buyer) = shop.guest_cart(&sku, 1).await;
    let order_id = shop.order(&bought, &buyer, "approve", 10).await.expect(201).text("/order_id");
    let token_of_customer = shop.demo("customer").await;
    let before = events_of_people(&shop).await;
    let all = bodies(&cart, &guest, &sku)
        .into_iter()
        .chain(of_staff(&staff, &order_id, &sku))
        .chain(of_strangers(&cart, &order_id, &sku, &stranger, &token_of_customer));
    for bad in all {
        bad.check(&shop).await;
    }
    let foreign = shop.get(&format!("/v1/orders/{order_id}"), Some(&stranger), None).await.expect(404);
    assert_eq!(foreign.body["code"], "not-found");
    shop.get("/v1/events", Some(&token_of_customer), None).await.expect(403);
    shop.get(&format!("/v1/audit/orders/{order_id}"), Some(&staff), None).await.expect(403);
    assert_eq!(events_of_people(&shop).await, before, "bad input has changed something");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_request_only() {
    let shop = Shop::open().await;
    let staff = shop.staff().await;
    let sku = shop.product(&staff, 10_000, 5).await;
    let receive = |quantity: u32| {
        let request = shop
            .http
            .post(format!("{}/v1/stock/{sku}/receipts", shop.command_url()))
            .header("Idempotency-Key", "\"delivery-17\"")
            .json(&json!({"quantity": quantity}))
            .bearer_auth(&staff);
        shop.send(request)
    };
    receive(3).await.ok();
    let again = receive(3).await.ok();
    let stock = shop.get(&format!("/v1/stock/{sku}"), None, again.token.as_deref()).await.expect(200);
    assert_eq!(stock.body["on_hand"], 8, "said twice, received once");
    let other = receive(4).await.expect(422);
    assert_eq!(other.body["code"], "idempotency-key-reused");
    // Fifty at once with one key: one effect.
    let (cart, guest) = shop.guest_cart(&sku, 1).await;
    let orders = futures::future::join_all((0..50).map(|_| {
        let request = shop
            .http
            .post(format!("{}/v1/orders", shop.command_url()))
            .header("Idempotency-Key", "the-one-order")
            .json(&order_body(&cart, "approve"))
            .bearer_auth(&guest);
        shop.send(request)
    }))
    .await;
    let ids: std::collections::HashSet<_> =
        orders.into_iter().map(|answer| answer.expect(201).text("/order_id")).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_every_script_are_taken() {
    let shop = Shop::open().await;
    // Hangul as single letters (NFD) is kept in NFC; a family of emoji is one name of five characters and two joiners.
    for (name, kept) in
        [("홍길동", "홍길동"), ("\u{1112}\u{1169}\u{11bc}", "홍"), ("👨‍👩‍👧 Kim", "👨‍👩‍👧 Kim"), ("עברית", "עברית")]
    {
        let email = format!("{}@example.com", uuid::Uuid::new_v4().simple());
        let person = json!({"email": email, "password": "correct horse battery", "name": name});
        let registered = shop.post("/v1/customers", None, person).await.expect(201);
        let token = shop.sign_in(&email, "correct horse battery").await;
        let me = shop.get("/v1/customers/me", Some(&token), registered.token.as_deref()).await.expect(200);
        assert_eq!(me.text("/name"), kept);
    }
    shop.close().await;
}
