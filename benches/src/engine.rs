//! The engine as one of the stores of `benches/peers`: the same runs, the same rows on standard output.
//!
//! `PG_URL=… bench engine`: appends to many streams and to one, reads everything back decoded, and checks that nothing is missing.
//! One line per run, separated by tabs: store, test, concurrency, events per second, conflicts per second, note. `SECS`, `RUNS`, `SEED`
//! and `ONLY` are those of the other stores.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use command_api::engine::{Engine, Options, Submission};
use domain::ids::{CartId, OrderId, ProductId};
use domain::text::{Locale, Sku};
use domain::{Actor, Command, Currency, Owner, cart, stock};
use event_store::{CommandKey, EventStore, Filter, MasterKey, Metadata, Position};
use futures::future::try_join_all;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How the engine is called in the table.
const STORE: &str = "jumun";
/// Numbers of callers at once, of appends to streams of their own.
const CALLERS: &str = "1,16,64,256,1000";
/// Callers that fill the log before it is read.
const FILLING: usize = 1_000;
/// Not measured, before each run.
const WARM_UP: Duration = Duration::from_secs(1);

/// 64 hex digits.
pub(crate) fn master_key() -> String {
    "07".repeat(32)
}

/// An engine on a database of its own.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) store: EventStore,
    running: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Node {
    /// On a database whose log is there.
    pub(crate) async fn start(options: PgConnectOptions) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(8).test_before_acquire(false);
        let pool = pool.connect_with(options).await?;
        event_store::migrate(&pool).await?;
        let store = EventStore::open(pool, MasterKey::parse(&master_key())?).await?;
        let shutdown = CancellationToken::new();
        let (engine, running) = Engine::start(store.clone(), Options::default(), shutdown.clone());
        Ok(Self { engine, store, running, shutdown })
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        let _ = self.running.await;
    }
}

/// What the other stores of `benches/peers` are told, too.
struct Settings {
    url: PgConnectOptions,
    time: Duration,
    runs: u32,
    seed: u64,
    only: Vec<String>,
    callers: Vec<usize>,
}

impl Settings {
    fn read() -> Result<Self> {
        fn or<T: FromStr>(name: &str, default: T) -> T {
            std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
        }
        let only = std::env::var("ONLY").unwrap_or_default();
        let callers = std::env::var("CALLERS").unwrap_or_else(|_| CALLERS.to_owned());
        Ok(Self {
            url: std::env::var("PG_URL")?.parse()?,
            time: Duration::from_secs_f64(or("SECS", 5.0)),
            runs: or("RUNS", 3),
            seed: or("SEED", 200_000),
            callers: callers.split(',').map(str::parse).collect::<Result<_, _>>()?,
            only: only.split(',').filter(|test| !test.is_empty()).map(str::to_owned).collect(),
        })
    }

    fn wants(&self, test: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == test)
    }
}

/// Measures everything.
pub(crate) async fn measure() -> Result<()> {
    let settings = Settings::read()?;
    let node = Node::start(settings.url.clone()).await?;
    if settings.wants("seed") {
        fill(&node.engine, settings.seed).await?;
        for sql in ["VACUUM ANALYZE", "CHECKPOINT"] {
            sqlx::raw_sql(sql).execute(node.store.pool()).await?;
        }
    }
    if settings.wants("read") {
        // The first one warms up; the report leaves it out.
        for _ in 0..=settings.runs {
            let begun = Instant::now();
            let count = read(&node.store).await?;
            row("read", 1, count as f64 / begun.elapsed().as_secs_f64(), &format!("{count} read"));
        }
    }
    if settings.wants("append") {
        for &callers in &settings.callers {
            for _ in 0..settings.runs {
                let rate = timed(callers, settings.time, &[&node.engine], |_| open_cart()).await?;
                row("append", callers, rate.iter().sum(), "");
            }
        }
    }
    if settings.wants("hot") {
        hot(&settings, &node).await?;
    }
    if settings.wants("check") {
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM log.events").fetch_one(node.store.pool()).await?;
        let read = read(&node.store).await?;
        row("check", 1, 0.0, &format!("{rows} rows, {read} read from the start"));
    }
    node.stop().await;
    Ok(())
}

/// 64 callers on one stream, on one node, and on two nodes of the same log.
async fn hot(settings: &Settings, node: &Node) -> Result<()> {
    for _ in 0..settings.runs {
        let sku = listed(&node.engine).await?;
        let rate = timed(64, settings.time, &[&node.engine], move |_| receive(&sku)).await?;
        row("hot", 64, rate.iter().sum(), "no caller sees a conflict");
    }
    for callers in [64, 1_000] {
        for _ in 0..settings.runs {
            let reservations = Reservations::of(&node.engine, callers).await?;
            let submission = move |caller| reservations.next(caller);
            let rate = timed(callers, settings.time, &[&node.engine], submission).await?;
            row("hot, reservations", callers, rate.iter().sum(), "reserved and released in turn");
        }
    }
    let other = Node::start(settings.url.clone()).await?;
    for _ in 0..settings.runs {
        let sku = listed(&node.engine).await?;
        let rate = timed(64, settings.time, &[&node.engine, &other.engine], move |_| receive(&sku)).await?;
        let note = format!("one node {:.0}, the other {:.0}", rate[0], rate[1]);
        row("hot, two nodes", 64, rate.iter().sum(), &note);
    }
    other.stop().await;
    Ok(())
}

fn row(test: &str, callers: usize, rate: f64, note: &str) {
    println!("{STORE}\t{test}\t{callers}\t{rate:.0}\t0\t{note}");
}

/// So many events, each to a stream of its own.
async fn fill(engine: &Engine, events: u64) -> Result<()> {
    let left = Arc::new(AtomicU64::new(events));
    let callers = (0..FILLING).map(|_| {
        let (engine, left) = (engine.clone(), left.clone());
        tokio::spawn(async move {
            let less = |left: u64| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
                engine.execute(open_cart()).await?;
            }
            anyhow::Ok(())
        })
    });
    try_join_all(callers).await?.into_iter().collect()
}

/// Reads the whole log, decoded, and makes sure that it has no gap.
async fn read(store: &EventStore) -> Result<u64> {
    let mut replay = store.replay(Position(0), Position(u64::MAX), &Filter::default()).await?;
    let mut last = 0;
    while let Some(page) = replay.next().await? {
        for event in page.events {
            let event = event.map_err(|event| anyhow!("{event:?}"))?;
            ensure!(event.position.0 == last + 1, "the log has a gap after {last}");
            last = event.position.0;
        }
    }
    Ok(last)
}

/// Runs callers for that long, in turn on these nodes: what each node has acknowledged a second. An error ends the run.
async fn timed(
    callers: usize,
    time: Duration,
    nodes: &[&Engine],
    submission: impl Fn(usize) -> Submission + Clone + Send + 'static,
) -> Result<Vec<f64>> {
    let stop = Arc::new(AtomicBool::new(false));
    let counts: Vec<_> = nodes.iter().map(|_| Arc::new(AtomicU64::new(0))).collect();
    let running: Vec<_> = (0..callers)
        .map(|caller| {
            let (engine, count) = (nodes[caller % nodes.len()].clone(), counts[caller % nodes.len()].clone());
            let (stop, submission) = (stop.clone(), submission.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    engine.execute(submission(caller)).await?;
                    count.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    let now = || counts.iter().map(|count| count.load(Ordering::Relaxed)).collect::<Vec<_>>();
    let (before, begun) = (now(), Instant::now());
    tokio::time::sleep(time).await;
    let (after, took) = (now(), begun.elapsed().as_secs_f64());
    stop.store(true, Ordering::Relaxed);
    for caller in try_join_all(running).await? {
        caller?;
    }
    Ok(before.iter().zip(&after).map(|(before, after)| (after - before) as f64 / took).collect())
}

/// A command as it comes from a shop: with a trace, an actor and an answer.
fn submission(command: Command, actor: Actor, answer: serde_json::Value) -> Submission {
    Submission {
        key: CommandKey { scope: 0, id: Uuid::now_v7() },
        fingerprint: [0; 32],
        metadata: Metadata {
            correlation_id: Uuid::now_v7(),
            causation_id: None,
            actor,
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        },
        command,
        answer,
        if_match: None,
    }
}

/// One event to its own new stream.
pub(crate) fn open_cart() -> Submission {
    let cart_id = CartId(Uuid::now_v7());
    let currency = Currency::parse("KRW").expect("a currency");
    let locale = Locale::parse("ko").expect("a locale");
    let command = cart::Command::Open { cart_id, owner: Owner::Guest(cart_id), currency, locale };
    submission(Command::Cart(command), Actor::Guest(cart_id), serde_json::json!({"cart_id": cart_id}))
}

/// A stock item of its own.
async fn listed(engine: &Engine) -> Result<Sku> {
    let product_id = ProductId(Uuid::now_v7());
    let sku = Sku::parse(&format!("HOT-{}", product_id.0.simple()).to_uppercase())?;
    engine.execute(of_stock(&sku, stock::Action::List { product_id })).await?;
    Ok(sku)
}

/// Callers that hold one piece each of the same item, and give it back.
#[derive(Clone)]
struct Reservations {
    sku: Sku,
    /// What each of them has asked for so far.
    asked: Arc<Vec<AtomicU64>>,
}

impl Reservations {
    async fn of(engine: &Engine, callers: usize) -> Result<Self> {
        let sku = listed(engine).await?;
        let action =
            stock::Action::Receive { quantity: callers as u32, reason: "supplier delivery".to_owned() };
        engine.execute(of_stock(&sku, action)).await?;
        Ok(Self { sku, asked: Arc::new((0..callers).map(|_| AtomicU64::new(0)).collect()) })
    }

    fn next(&self, caller: usize) -> Submission {
        let asked = self.asked[caller].fetch_add(1, Ordering::Relaxed);
        let order_id = OrderId(Uuid::from_u64_pair(caller as u64, asked / 2));
        let action = if asked.is_multiple_of(2) {
            stock::Action::Reserve { order_id, quantity: 1 }
        } else {
            stock::Action::Release { order_id }
        };
        of_stock(&self.sku, action)
    }
}

fn of_stock(sku: &Sku, action: stock::Action) -> Submission {
    let command = stock::Command { sku: sku.clone(), action };
    submission(Command::Stock(command), Actor::system("bench"), serde_json::Value::Null)
}

/// One event to a stream that everybody writes to.
fn receive(sku: &Sku) -> Submission {
    of_stock(sku, stock::Action::Receive { quantity: 1, reason: "supplier delivery".to_owned() })
}
