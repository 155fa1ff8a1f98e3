//! A shop under test: `jumun up` in a folder of its own, and calls to its public surface.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// No wait in these tests is longer; what takes longer is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct Shop {
    pub(crate) data_dir: PathBuf,
    pub(crate) command_url: String,
    pub(crate) query_url: String,
    pub(crate) database_url: String,
    pub(crate) http: reqwest::Client,
    environment: Vec<(String, String)>,
    process: Child,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) token: Option<String>,
    pub(crate) body: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        self
    }
    #[track_caller]
    pub(crate) fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no text at {pointer} in {:#}", self.body)).to_owned()
    }
    async fn read(response: Response) -> Self {
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (status, token) = (response.status(), header("consistency-token"));
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, token, body }
    }
}

/// The binary that `cargo build -p jumun` has put beside the test's own.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("JUMUN_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(2).unwrap().join("jumun");
    assert!(
        path.exists(),
        "{} is not there: run `cargo build -p jumun` first (script/test does)",
        path.display()
    );
    path
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

impl Shop {
    /// A fresh shop with the demo's products and people.
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// A fresh shop with some configuration.
    pub(crate) async fn open_with(environment: &[(&str, &str)]) -> Self {
        let data_dir = std::env::temp_dir().join(format!("jumun-test-{}", uuid::Uuid::new_v4().simple()));
        let environment: Vec<_> =
            environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self::start(data_dir, environment).await
    }

    async fn start(data_dir: PathBuf, environment: Vec<(String, String)>) -> Self {
        let run = data_dir.join("run.json");
        let _ = std::fs::remove_file(&run);
        std::fs::create_dir_all(&data_dir).unwrap();
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(data_dir.join("test.log")).unwrap();
        let mut process = Command::new(binary())
            .args([
                "up",
                "--demo",
                "--command-listen",
                "127.0.0.1:0",
                "--query-listen",
                "127.0.0.1:0",
                "--data-dir",
            ])
            .arg(&data_dir)
            .envs(environment.iter().map(|(key, value)| (key.as_str(), value.as_str())))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(false)
            .spawn()
            .unwrap();
        let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        let begun = Instant::now();
        loop {
            if let Some(status) = process.try_wait().unwrap() {
                panic!("up ended with {status}: {}", tail(&data_dir));
            }
            let addresses: Option<Value> =
                std::fs::read(&run).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            if let Some(addresses) = addresses {
                let of = |name: &str| addresses[name].as_str().unwrap().to_owned();
                let shop = Self {
                    command_url: of("command_url"),
                    query_url: of("query_url"),
                    database_url: of("database_url"),
                    data_dir,
                    http,
                    environment,
                    process,
                };
                shop.wait_until_ready(begun).await;
                return shop;
            }
            assert!(begun.elapsed() < DEADLINE, "up is not ready: {}", tail(&data_dir));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn wait_until_ready(&self, begun: Instant) {
        for url in [&self.command_url, &self.query_url] {
            while !matches!(self.http.get(format!("{url}/readyz")).send().await, Ok(answer) if answer.status().is_success())
            {
                assert!(begun.elapsed() < DEADLINE, "not ready: {}", tail(&self.data_dir));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// kill -9, and start again on the same folder.
    pub(crate) async fn crash_and_restart(mut self) -> Self {
        let _ = self.process.start_kill();
        self.process.wait().await.unwrap();
        let (data_dir, environment) = (self.data_dir.clone(), std::mem::take(&mut self.environment));
        Self::start(data_dir, environment).await
    }

    /// kill -9, and nothing else.
    pub(crate) fn kill(&self) {
        let pid = self.process.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    }

    /// SIGINT, as ctrl-C sends it; the exit status.
    pub(crate) async fn interrupt(&mut self) -> std::process::ExitStatus {
        let pid = self.process.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        tokio::time::timeout(DEADLINE, self.process.wait()).await.expect("up did not stop").unwrap()
    }

    /// Starts again on the same folder after a stop.
    pub(crate) async fn restart(mut self) -> Self {
        let (data_dir, environment) = (self.data_dir.clone(), std::mem::take(&mut self.environment));
        Self::start(data_dir, environment).await
    }

    /// Ends the shop cleanly and removes its folder.
    pub(crate) async fn close(mut self) {
        let status = self.interrupt().await;
        assert!(status.success(), "up stopped with {status}: {}", tail(&self.data_dir));
        std::fs::remove_dir_all(&self.data_dir).unwrap();
    }

    /// Runs another command of the binary; its exit code and what it printed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = tokio::time::timeout(
            DEADLINE * 10,
            Command::new(binary())
                .args(arguments)
                .arg("--data-dir")
                .arg(&self.data_dir)
                .kill_on_drop(true)
                .output(),
        )
        .await
        .expect("it does not end")
        .unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (output.status.code().unwrap_or(-1), text)
    }

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
        let request = self.http.request(method, format!("{}{path}", self.command_url)).json(&body);
        self.send(with_bearer(request, bearer)).await
    }

    pub(crate) async fn post(&self, path: &str, bearer: Option<&str>, body: Value) -> Answer {
        self.command(Method::POST, path, bearer, body).await
    }

    /// A call of the query API that waits for what `after` has written.
    pub(crate) async fn get(&self, path: &str, bearer: Option<&str>, after: Option<&str>) -> Answer {
        let begun = Instant::now();
        loop {
            let mut request = self.http.get(format!("{}{path}", self.query_url));
            if let Some(token) = after {
                request = request.header("Consistency-Token", token);
            }
            let answer = self.send(with_bearer(request, bearer)).await;
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
        let sku = format!("TEST-{}", uuid::Uuid::new_v4().simple());
        let product = json!({"sku": sku, "name": {"ko": "시험 상품", "en": "Test product"}, "description": {"ko": "시험"},
            "category": "test", "brand": "Test", "attributes": {}, "prices": [{"amount": price, "currency": "KRW"}], "images": []});
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
            .post(format!("{}/v1/orders", self.command_url))
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

impl Answer {
    /// Any 2xx.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert!(self.status.is_success(), "{self:#?}");
        self
    }
}

impl Drop for Shop {
    /// A failed test leaves no server behind: SIGINT, so that the private PostgreSQL is stopped as well.
    fn drop(&mut self) {
        if let (Some(pid), true) = (self.process.id(), matches!(self.process.try_wait(), Ok(None))) {
            let _ = std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status();
        }
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

fn tail(data_dir: &Path) -> String {
    let log = std::fs::read_to_string(data_dir.join("test.log")).unwrap_or_default();
    log.lines().rev().take(30).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
}
