//! A shop scaled out in which everything that may be there twice, and every server that can come back, is killed with kill -9 while
//! invoices are imported and a client asks all the time; and three brokers of which one is killed, or two are frozen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinHandle;

use crate::import::invoices;
use crate::shop::{DEADLINE, OwnServers, Shop, scaled};

/// Answers that the client must have got while something is down.
const ANSWERS: usize = 20;

/// What is killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    /// A role: another one does its work meanwhile.
    Role(&'static str),
    /// A server that queries can do without.
    Server(&'static str),
}

use Victim::{Role, Server};

/// Of two relays one leads: killed in turn, the one that leads is killed once at least.
const VICTIMS: &[Victim] = &[
    Role("relay-1"),
    Role("relay-2"),
    Role("projector-1"),
    Role("query-api-2"),
    Server("replica-1"),
    Server("opensearch"),
    Server("kafka-1"),
];

impl Victim {
    async fn kill(self, shop: &Shop, servers: &OwnServers) {
        match self {
            Role(name) => shop.kill_role(name),
            Server(name) => servers.fault("kill", name).await,
        }
    }

    async fn start(self, shop: &Shop, servers: &OwnServers) {
        match self {
            Role(name) => shop.start_role(name).await,
            Server(name) => servers.fault("start", name).await,
        }
    }

    /// Read models stand still without the broker.
    fn carries_events(self) -> bool {
        matches!(self, Server("kafka-1"))
    }
}

/// Somebody who looks around all the time, on whichever node lets them in.
struct Client {
    answers: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    running: JoinHandle<Vec<String>>,
}

impl Client {
    /// `token`: of something that shows the SKU. Nodes differ in how far they are, and who asks without one may ask too early.
    fn start(shop: &Shop, sku: &str, token: &str) -> Self {
        let (answers, stopped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let urls = shop.query_urls().to_vec();
        let paths = [
            "/v1/products?q=%EC%9A%B4%EB%8F%99%ED%99%94&locale=ko&currency=KRW".to_owned(),
            "/v1/products?limit=5".to_owned(),
            format!("/v1/stock/{sku}"),
        ];
        let (counted, told, token) = (Arc::clone(&answers), Arc::clone(&stopped), token.to_owned());
        let http = shop.http.clone();
        let running = tokio::spawn(async move {
            let mut failed = Vec::new();
            let mut calls = 0;
            while !told.load(Ordering::Relaxed) {
                match ask(&http, &urls, calls, &paths[calls % paths.len()], &token).await {
                    Ok(()) => _ = counted.fetch_add(1, Ordering::Relaxed),
                    Err(failure) => failed.push(failure),
                }
                calls += 1;
            }
            failed
        });
        Self { answers, stopped, running }
    }

    /// Waits for more answers.
    async fn goes_on(&self) {
        let (before, begun) = (self.answers.load(Ordering::Relaxed), Instant::now());
        while self.answers.load(Ordering::Relaxed) < before + ANSWERS {
            assert!(begun.elapsed() < DEADLINE, "queries are not answered any more");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What went wrong.
    async fn stop(self) -> Vec<String> {
        self.stopped.store(true, Ordering::Relaxed);
        self.running.await.unwrap()
    }
}

/// One query, on the other node when one does not answer.
async fn ask(
    http: &reqwest::Client,
    urls: &[String],
    call: usize,
    path: &str,
    token: &str,
) -> Result<(), String> {
    let mut said = Vec::new();
    for turn in 0..urls.len() {
        let url = format!("{}{path}", urls[(call + turn) % urls.len()]);
        let mut request = http.get(&url);
        // What is searched for is asked for without one: else OpenSearch, which is a moment behind, would not be asked.
        if path.starts_with("/v1/stock") {
            request = request.header("Consistency-Token", token);
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => match answer.bytes().await {
                Ok(_) => return Ok(()),
                Err(error) => said.push(format!("{url} broke off: {error}")),
            },
            Ok(answer) => {
                let status = answer.status();
                return Err(format!("{url}: {status} {}", answer.text().await.unwrap_or_default()));
            }
            Err(error) => said.push(format!("{url}: {error}")),
        }
    }
    Err(said.join("; "))
}

/// An order that is placed now, and shown to whoever placed it.
async fn bought_and_shown(shop: &Shop, sku: &str) -> (String, String) {
    let (cart, guest) = shop.guest_cart(sku, 1).await;
    let placed = shop.order(&cart, &guest, "approve", 30).await.expect(201);
    let order = placed.text("/order_id");
    let shown = shop.get(&format!("/v1/orders/{order}"), Some(&guest), placed.token.as_deref()).await;
    assert_eq!(shown.expect(200).text("/order_id"), order);
    (order, guest)
}

/// What the importer says at its end.
fn summary(output: &std::process::Output) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().rfind(|line| line.starts_with('{'));
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(line.unwrap_or_else(|| panic!("no summary in {said}{errors}"))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_during_an_import_nothing_is_lost_doubled_or_unanswered() {
    if !scaled() {
        println!("only for a shop that is scaled out");
        return;
    }
    let servers = tokio::task::spawn_blocking(OwnServers::start).await.unwrap();
    let shop = Shop::open_on(&servers).await;
    let sku = shop.product(&shop.staff().await, 5_000, 1_000).await;
    let token = shop.now().await.unwrap();
    shop.get(&format!("/v1/stock/{sku}"), None, Some(&token)).await.expect(200);
    let file = invoices().display().to_string();
    let mut import = shop.tool(&["import", "invoices", &file, "--json"]);
    let import = tokio::spawn(async move { import.output().await.unwrap() });
    let client = Client::start(&shop, &sku, &token);
    let mut bought = Vec::new();
    for victim in VICTIMS {
        println!("{victim:?}");
        victim.kill(&shop, &servers).await;
        client.goes_on().await;
        if !victim.carries_events() {
            bought.push(bought_and_shown(&shop, &sku).await);
        }
        victim.start(&shop, &servers).await;
        bought.push(bought_and_shown(&shop, &sku).await);
    }
    let summary = summary(&tokio::time::timeout(DEADLINE * 10, import).await.unwrap().unwrap());
    assert_eq!(summary["equal"], true, "{summary:#}");
    for (order, guest) in &bought {
        shop.wait_for_status(order, guest, "confirmed").await;
    }
    assert_eq!(client.stop().await, Vec::<String>::new());
    let (code, text) = shop.run(&["verify", "--kafka", "--search"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}

/// As long as it takes until clients and brokers give one another up.
const FROZEN: Duration = Duration::from_secs(45);

/// An order that is placed now, whether it is shown or not.
async fn bought(shop: &Shop, sku: &str) -> (String, String) {
    let (cart, guest) = shop.guest_cart(sku, 1).await;
    let placed = shop.order(&cart, &guest, "approve", 30).await.expect(201);
    (placed.text("/order_id"), guest)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_three_brokers_one_that_is_killed_holds_up_nothing_and_two_that_are_frozen_lose_nothing() {
    if !scaled() {
        println!("only for a shop that is scaled out");
        return;
    }
    let servers = tokio::task::spawn_blocking(|| OwnServers::start_with(&["--fast", "--brokers", "3"]));
    let servers = servers.await.unwrap();
    let shop = Shop::open_on(&servers).await;
    let sku = shop.product(&shop.staff().await, 5_000, 100_000).await;
    let mut orders = Vec::new();
    for broker in ["kafka-1", "kafka-2", "kafka-3"] {
        servers.fault("kill", broker).await;
        // The other two have all there is.
        orders.push(bought_and_shown(&shop, &sku).await);
        servers.fault("start", broker).await;
        orders.push(bought_and_shown(&shop, &sku).await);
    }
    for two in [["kafka-1", "kafka-2"], ["kafka-2", "kafka-3"]] {
        for broker in two {
            servers.fault("pause", broker).await;
        }
        let frozen = Instant::now();
        while frozen.elapsed() < FROZEN {
            orders.push(bought(&shop, &sku).await);
        }
        for broker in two {
            servers.fault("resume", broker).await;
        }
        orders.push(bought_and_shown(&shop, &sku).await);
    }
    for (order, guest) in &orders {
        shop.wait_for_status(order, guest, "confirmed").await;
    }
    let (code, text) = shop.run(&["verify", "--kafka"]).await;
    assert_eq!(code, 0, "{text}");
    shop.close().await;
}
