//! Bytes that are no requests, and connections that are no callers: both APIs say what is wrong or close, and serve everybody else.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::shop::{Answer, DEADLINE, Shop};

/// Connections that say nothing.
const IDLE: usize = 2_000;

/// What is sent as JSON, and what may be answered.
fn corpus() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let name = |text: &str| {
        format!(r#"{{"email":"a@example.com","password":"correct horse battery","name":"{text}"}}"#)
    };
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(50_000), close.repeat(50_000)).into_bytes();
    vec![
        ("a byte order mark", b"\xEF\xBB\xBF{\"currency\":\"KRW\"}".to_vec(), &[400]),
        ("UTF-16", "{}".encode_utf16().flat_map(u16::to_le_bytes).collect(), &[400]),
        ("broken UTF-8", b"{\"currency\":\"\xFF\xFE\"}".to_vec(), &[400]),
        ("overlong UTF-8", b"{\"currency\":\"\xC0\x80\"}".to_vec(), &[400]),
        ("half a surrogate pair", name("\\ud83d").into_bytes(), &[400, 422]),
        ("the other half", name("\\ude00 x").into_bytes(), &[400, 422]),
        ("an escaped NUL", name("a\\u0000b").into_bytes(), &[422]),
        ("cut off in a text", b"{\"currency\":\"KR".to_vec(), &[400]),
        ("cut off in an escape", b"{\"currency\":\"\\u00".to_vec(), &[400]),
        ("deep arrays", deep("[", "]"), &[400]),
        ("deep objects", deep("{\"a\":", "}"), &[400]),
        ("two fields of one name", b"{\"currency\":\"KRW\",\"currency\":\"USD\"}".to_vec(), &[400, 422]),
        ("no object", b"[]".to_vec(), &[400, 422]),
        ("a number", b"1e400".to_vec(), &[400, 422]),
        ("NaN", b"{\"currency\":NaN}".to_vec(), &[400]),
        ("a number for a text", b"{\"currency\":410}".to_vec(), &[422]),
        ("ten mebibytes", vec![b' '; 10 << 20], &[413]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_refused_in_words() {
    let shop = Shop::open().await;
    let paths = [("/v1/carts", false), ("/v1/customers", true)];
    for (what, body, allowed) in corpus() {
        // Who registers has a name; a cart has a currency.
        let has_name = body.windows(6).any(|bytes| bytes == b"\"name\"");
        for (path, _) in paths.iter().filter(|(_, person)| *person == has_name) {
            let request = shop.http.post(format!("{}{path}", shop.command_url()));
            let request = request.header("Content-Type", "application/json").body(body.clone());
            let answer = request.send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            let answer = Answer::read_whole(answer).await.unwrap();
            assert!(allowed.contains(&answer.status.as_u16()), "{what}: {answer:#?}");
            assert!(answer.body["code"].is_string(), "{what}: {answer:#?}");
        }
    }
    packed(&shop).await;
    queries(&shop).await;
    shop.close().await;
}

/// Packed bodies are not unpacked, so that none can burst.
async fn packed(shop: &Shop) {
    // The head of a gzip stream; what follows does not matter to who does not unpack it.
    let body = [&b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"[..], &[0; 1_000]].concat();
    let request = shop.http.post(format!("{}/v1/carts", shop.command_url()));
    let request = request.header("Content-Type", "application/json").header("Content-Encoding", "gzip");
    let answer = shop.send(request.body(body)).await;
    assert!(matches!(answer.status.as_u16(), 400 | 415), "{answer:#?}");
    let request = shop.http.post(format!("{}/v1/carts", shop.command_url()));
    shop.send(request.header("Content-Type", "application/xml").body("<cart/>")).await.expect(415);
}

/// What is asked for and cannot be.
async fn queries(shop: &Shop) {
    for (path, allowed) in [
        ("/v1/products?limit=-1", &[400, 422][..]),
        ("/v1/products?limit=99999999999999999999", &[400, 422]),
        ("/v1/products?cursor=%FF%FE", &[400, 422]),
        ("/v1/products?q=%00", &[200, 400, 422]),
        ("/v1/products?q=%22%29%20OR%20%2A%3A%2A%20%7B%7D%5B%5D", &[200]),
        ("/v1/products?q=%27%3B%20DROP%20TABLE%20read.products%3B--", &[200]),
        ("/v1/stock/%2E%2E%2F%2E%2E%2Fetc%2Fpasswd", &[400, 404]),
        ("/v1/stock/%00", &[400, 404]),
        ("/v1/orders/%27%20OR%201%3D1", &[400, 401, 404]),
    ] {
        let answer = shop.send(shop.http.get(format!("{}{path}", shop.query_url()))).await;
        assert!(allowed.contains(&answer.status.as_u16()), "{path}: {answer:#?}");
    }
}

/// What would do something else if it were not taken for what it is: a text.
const TEXTS: &[&str] = &[
    "'; DROP TABLE log.events; --",
    "<script>alert(1)</script>",
    "${jndi:ldap://example.com/a} {{7*7}} %s%n",
    "../../etc/passwd",
    "{\"query\":{\"match_all\":{}}}",
    "\u{202e}gpj.exe",
    "zero\u{200b}width",
    "👨\u{200d}👩\u{200d}👧 𠜎",
];

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_mean_something_elsewhere_are_kept_as_they_are() {
    let shop = Shop::open().await;
    for text in TEXTS {
        let email = format!("{}@example.com", uuid::Uuid::new_v4().simple());
        let person = json!({"email": email, "password": "correct horse battery", "name": text});
        let registered = shop.post("/v1/customers", None, person).await;
        if registered.status == 422 {
            // A rule of names may forbid it; then it says so.
            assert_eq!(registered.body["errors"][0]["pointer"], "/name", "{text:?}: {registered:#?}");
            continue;
        }
        let registered = registered.expect(201);
        let bearer = shop.sign_in(&email, "correct horse battery").await;
        let me = shop.get("/v1/customers/me", Some(&bearer), registered.token.as_deref()).await.expect(200);
        assert_eq!(me.text("/name"), *text);
    }
    let line = "one\r\n2026-01-01 ERROR made up";
    let email = format!("{}@example.com", uuid::Uuid::new_v4().simple());
    let person = json!({"email": email, "password": "correct horse battery", "name": line});
    shop.post("/v1/customers", None, person).await.expect(422);
    products(&shop).await;
    shop.close().await;
}

/// Descriptions of products, which everybody is shown and which are searched.
async fn products(shop: &Shop) {
    let staff = shop.staff().await;
    for text in TEXTS {
        let sku = format!("TEXT-{}", uuid::Uuid::new_v4().simple());
        let product = json!({"sku": sku, "name": {"ko": text}, "description": {"ko": text}, "category": "test",
            "brand": "Test", "attributes": {}, "prices": [{"amount": 100, "currency": "KRW"}], "images": []});
        let made = shop.post("/v1/products", Some(&staff), product).await;
        if made.status == 422 {
            assert!(made.body["errors"].is_array(), "{text:?}: {made:#?}");
            continue;
        }
        let id = made.expect(201).text("/product_id");
        let published = shop.post(&format!("/v1/products/{id}/publish"), Some(&staff), json!({})).await.ok();
        let shown =
            shop.get(&format!("/v1/products/{id}"), None, published.token.as_deref()).await.expect(200);
        assert!(holds(&shown.body, text), "{text:?}: {shown:#?}");
    }
}

fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        Value::Array(all) => all.iter().any(|one| holds(one, text)),
        Value::Object(all) => all.values().any(|one| holds(one, text)),
        _ => false,
    }
}

fn address(url: &str) -> &str {
    url.strip_prefix("http://").unwrap()
}

/// Reads until the other side closes; what it said.
async fn closed(mut connection: TcpStream) -> String {
    let mut said = Vec::new();
    let read = tokio::time::timeout(DEADLINE, connection.read_to_end(&mut said)).await;
    let _ = read.expect("it is not closed");
    String::from_utf8_lossy(&said).into_owned()
}

async fn slow(url: &str, head: &str) -> String {
    let mut connection = TcpStream::connect(address(url)).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    closed(connection).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_says_nothing_or_says_it_slowly_keeps_nobody_waiting() {
    let shop = Shop::open().await;
    let sku = shop.product(&shop.staff().await, 1_000, 5).await;
    let mut idle = Vec::new();
    for url in [&shop.command_urls()[0], &shop.query_urls()[0]] {
        for _ in 0..IDLE / 2 {
            idle.push(TcpStream::connect(address(url)).await.unwrap());
        }
    }
    let begun = Instant::now();
    let (cart, guest) = shop.guest_cart(&sku, 1).await;
    shop.get(&format!("/v1/carts/{cart}"), Some(&guest), None).await.expect(200);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?} beside {IDLE} idle connections",
        begun.elapsed()
    );
    drop(idle);
    let (command, query) = (&shop.command_urls()[0], &shop.query_urls()[0]);
    // A head that does not end, and a body that does not come.
    let body = "POST /v1/carts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let (head, other, half) = tokio::join!(
        slow(command, "POST /v1/carts HTTP/1.1\r\nHost:"),
        slow(query, "GET /v1"),
        slow(command, body)
    );
    assert!(!head.contains("200 OK") && !other.contains("200 OK"), "{head} {other}");
    assert!(half.starts_with("HTTP/1.1 408"), "{half}");
    // Two calls at once on one connection are two answers.
    let twice = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()
        + "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let said = slow(query, &twice).await;
    assert_eq!(said.matches("HTTP/1.1 200").count(), 2, "{said}");
    shop.command(Method::GET, "/healthz", None, json!({})).await.expect(200);
    shop.close().await;
}
