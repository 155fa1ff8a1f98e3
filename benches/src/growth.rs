//! What grows with the log: `PG_URL=… bench growth` fills a log of its own with more and more events, and takes at each size how long
//! an append and a query take, and how much memory is in use. Beside it, in turns, the same is taken of a log that stays at the first
//! size: the machine's speed changes more within minutes than anything here does. Both databases are dropped at the end.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use command_api::engine::{Engine, Submission};
use domain::ids::CartId;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgPool};
use uuid::Uuid;

use crate::commerce;
use crate::engine::{Node, master_key, open_cart};
use crate::load::median_ms;
use crate::roles::{Roles, caught_up};

/// Who opens carts and looks at them over HTTP, before the memory of roles is looked at.
const GUESTS: usize = 8;
const DATABASE: &str = "bench_growth";
/// The log that stays as it is.
const LEAST: &str = "bench_growth_least";
/// The two logs have so many turns each per figure.
const TURNS: u32 = 4;
/// Events of a cart: it is opened, and four things are put into it.
const EVENTS: u64 = 5;
/// Carts that are written at once.
const AT_ONCE: u64 = 200_000;
/// The carts of [`FILL`] are numbered from here.
const FIRST: u128 = 0x7000_8000_0000_0000_0000;

/// Events, commands and read model of some carts, as a shop would have left them.
const FILL: [&str; 4] = [
    "INSERT INTO log.events (position, version, schema_version, stream, type, event_id, recorded_at, scope, command_id, metadata, data)
     SELECT (c - 1) * 5 + v, v, 1, 'cart-' || cart, CASE v WHEN 1 THEN 'CartOpened' ELSE 'CartItemSet' END, gen_random_uuid(),
            timestamptz '2026-01-01Z' + c * interval '1 second', 0, cart::uuid,
            json_build_object('correlation_id', cart, 'actor', json_build_object('kind', 'guest', 'id', cart)),
            CASE v WHEN 1 THEN json_build_object('cart_id', cart, 'owner', json_build_object('kind', 'guest', 'id', cart),
                                                 'currency', 'KRW', 'locale', 'ko')
                   ELSE json_build_object('sku', 'ITEM-' || (c * 7 + v) % 5000, 'product_id', cart, 'quantity', 1) END
       FROM generate_series($1::bigint, $2::bigint) c,
            LATERAL (SELECT '00000000-0000-7000-8000-' || lpad(to_hex(c), 12, '0') AS cart) named, generate_series(1, 5) v",
    "INSERT INTO log.commands (command_id, scope, fingerprint, first_position, last_position, answer, recorded_at)
     SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(c), 12, '0'))::uuid, 0, decode(repeat('01', 32), 'hex'), (c - 1) * 5 + 1, c * 5,
            '{}', timestamptz '2026-01-01Z' + c * interval '1 second'
       FROM generate_series($1::bigint, $2::bigint) c",
    "INSERT INTO read.carts (cart_id, version, owner_kind, owner_id, status, currency, locale, items, opened_at, updated_at)
     SELECT cart, 5, 'guest', cart, 'open', 'KRW', 'ko',
            (SELECT jsonb_agg(jsonb_build_object('sku', 'ITEM-' || (c * 7 + v) % 5000, 'product_id', cart, 'quantity', 1))
               FROM generate_series(2, 5) v),
            timestamptz '2026-01-01Z' + c * interval '1 second', timestamptz '2026-01-01Z' + c * interval '1 second'
       FROM generate_series($1::bigint, $2::bigint) c,
            LATERAL (SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(c), 12, '0'))::uuid AS cart) named",
    "UPDATE log.head SET position = $2::bigint * 5 + $1::bigint * 0",
];

#[derive(Args)]
pub(crate) struct Arguments {
    /// A PostgreSQL in which databases may be made. About 0.7 GB for each million events.
    #[arg(long, env = "PG_URL")]
    url: PgConnectOptions,
    /// Events in the log.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000, 10_000_000])]
    sizes: Vec<u64>,
    /// Seconds per figure.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// The platform's binary: its roles run on each size for as long as a figure takes. Without it their memory is left out.
    #[arg(long, env)]
    jumun: Option<PathBuf>,
    /// A line of JSON per size instead of the table.
    #[arg(long)]
    json: bool,
}

/// What was measured at one size.
struct Size {
    events: u64,
    /// An append of one caller, one of 64 at once, a query.
    alone: Taken,
    many: Taken,
    query: Taken,
    /// Resident, in MB: this process with engine and queries, and what PostgreSQL's processes have for themselves.
    own_mb: f64,
    database_mb: f64,
    /// Each role, as a process of its own.
    roles_mb: Vec<(&'static str, f64)>,
    disk_mb: f64,
}

/// How long something took.
#[derive(Clone, Copy)]
struct Taken {
    p50_ms: f64,
    /// What it took in the least log meanwhile.
    least_ms: f64,
}

/// A log, and what appends to it.
struct Log {
    options: PgConnectOptions,
    read: PgPool,
    carts: u64,
    node: Node,
}

impl Log {
    /// Fills it up to that many events.
    async fn of(options: &PgConnectOptions, read: &PgPool, events: u64) -> Result<Self> {
        fill(read, events).await?;
        let node = Node::start(options.clone()).await?;
        let log = Self { options: options.clone(), read: read.clone(), carts: events / EVENTS, node };
        log.append(8, Duration::from_secs(1)).await?;
        Ok(log)
    }

    async fn append(&self, callers: usize, time: Duration) -> Result<f64> {
        let engine = self.node.engine.clone();
        median_ms(callers, time, move |_| append(engine.clone(), open_cart())).await
    }

    async fn query(&self, time: Duration) -> Result<f64> {
        let (pool, carts) = (self.read.clone(), self.carts);
        median_ms(1, time, move |_| find(pool.clone(), carts)).await
    }
}

/// Takes something of two logs in turns.
async fn in_turns<'a, F, Fut>(log: &'a Log, least: &'a Log, time: Duration, take: F) -> Result<Taken>
where
    F: Fn(&'a Log, Duration) -> Fut,
    Fut: Future<Output = Result<f64>>,
{
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        other.push(take(least, time / TURNS).await?);
        own.push(take(log, time / TURNS).await?);
    }
    let middle = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    Ok(Taken { p50_ms: middle(own), least_ms: middle(other) })
}

/// Measures.
pub(crate) async fn measure(arguments: Arguments) -> Result<()> {
    let server = PgPool::connect_with(arguments.url.clone()).await?;
    let drop = |name| AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    for name in [DATABASE, LEAST] {
        sqlx::query(drop(name)).execute(&server).await?;
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&server).await?;
    }
    let measured = sizes(&arguments).await;
    for name in [DATABASE, LEAST] {
        sqlx::query(drop(name)).execute(&server).await?;
    }
    measured
}

async fn open(arguments: &Arguments, name: &str) -> Result<(PgConnectOptions, PgPool)> {
    let options = arguments.url.clone().database(name);
    let read = projections::connect(options.clone(), 4).await?;
    event_store::migrate(&read).await?;
    projections::migrate(&read).await?;
    Ok((options, read))
}

async fn sizes(arguments: &Arguments) -> Result<()> {
    let (log, least) = (open(arguments, DATABASE).await?, open(arguments, LEAST).await?);
    let fewest = *arguments.sizes.first().context("no sizes")?;
    if !arguments.json {
        println!(
            "{:>10} {:>22} {:>22} {:>22} {:>8} {:>8} {:>8}",
            "events", "append p50 ms, 1", "append p50 ms, 64", "query p50 ms", "own MB", "pg MB", "disk MB"
        );
    }
    for events in &arguments.sizes {
        let log = Log::of(&log.0, &log.1, *events).await?;
        let least = Log::of(&least.0, &least.1, fewest).await?;
        print(&size(&log, &least, *events, arguments).await?, arguments.json);
        log.node.stop().await;
        least.node.stop().await;
    }
    log.1.close().await;
    least.1.close().await;
    Ok(())
}

async fn size(log: &Log, least: &Log, events: u64, arguments: &Arguments) -> Result<Size> {
    let (read, time) = (&log.read, Duration::from_secs(arguments.seconds));
    let alone = in_turns(log, least, time, |log, time| log.append(1, time)).await?;
    let query = in_turns(log, least, time, Log::query).await?;
    let many = in_turns(log, least, time, |log, time| log.append(64, time)).await?;
    let disk: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(read).await?;
    let (own_mb, database_mb) = (resident_mb(std::process::id())?, database_mb(read).await?);
    let mut roles_mb = Vec::new();
    if let Some(jumun) = &arguments.jumun {
        let roles = Roles::start(jumun, log.options.to_url_lossy().as_str(), &master_key(), read).await?;
        commerce::guests(&roles.url("command-api")?, &roles.url("query-api")?, GUESTS, time).await?;
        caught_up(read).await?;
        for (role, pid) in roles.all() {
            roles_mb.push((role, resident_mb(pid)?));
        }
    }
    Ok(Size { events, alone, many, query, own_mb, database_mb, roles_mb, disk_mb: disk as f64 / 1e6 })
}

/// Fills the log up to that many events. What was measured before has left some more carts behind: they are thrown away.
async fn fill(read: &PgPool, events: u64) -> Result<()> {
    // Carts of the appends, which roles have folded.
    sqlx::query("DELETE FROM read.carts WHERE cart_id NOT BETWEEN $1 AND $2")
        .bind(Uuid::from_u128(FIRST))
        .bind(Uuid::from_u128(FIRST | u128::from(u32::MAX)))
        .execute(read)
        .await?;
    let filled: i64 = sqlx::query_scalar("SELECT count(*) FROM read.carts").fetch_one(read).await?;
    let (mut next, last) = (filled.unsigned_abs() + 1, events / EVENTS);
    let mut connection = read.acquire().await?;
    for sql in [
        "SET synchronous_commit TO off",
        "ALTER TABLE log.events DISABLE TRIGGER append_only",
        "ALTER TABLE log.commands DISABLE TRIGGER append_only",
    ] {
        sqlx::query(sql).execute(&mut *connection).await?;
    }
    for (table, column) in [("events", "position"), ("commands", "last_position")] {
        let sql = format!("DELETE FROM log.{table} WHERE {column} > $1");
        sqlx::query(AssertSqlSafe(sql)).bind(filled * EVENTS as i64).execute(&mut *connection).await?;
    }
    for table in ["events", "commands"] {
        let sql = format!("ALTER TABLE log.{table} ENABLE TRIGGER append_only");
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    while next <= last {
        let through = last.min(next + AT_ONCE - 1);
        for sql in FILL {
            sqlx::query(sql).bind(next as i64).bind(through as i64).execute(&mut *connection).await?;
        }
        next = through + 1;
    }
    for sql in ["VACUUM ANALYZE", "CHECKPOINT", "RESET synchronous_commit"] {
        sqlx::query(sql).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn append(engine: Engine, submission: Submission) -> Result<()> {
    engine.execute(submission).await?;
    Ok(())
}

/// Any of the carts.
async fn find(read: PgPool, carts: u64) -> Result<()> {
    let number = u128::from(Uuid::new_v4().as_u64_pair().0 % carts + 1);
    let cart = projections::carts::query::find(&read, CartId(Uuid::from_u128(FIRST | number))).await?;
    ensure!(cart.is_some(), "cart {number} of {carts} is not found");
    Ok(())
}

/// Kilobytes that `/proc` names so.
fn kilobytes(file: &str, name: &str) -> Option<f64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
}

fn resident_mb(pid: u32) -> Result<f64> {
    let own = kilobytes(&format!("/proc/{pid}/status"), "VmRSS");
    Ok(own.context("memory is read from /proc")? / 1e3)
}

/// What the backends of this database have for themselves; what they share is not theirs.
async fn database_mb(read: &PgPool) -> Result<f64> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()";
    let backends: Vec<i32> = sqlx::query_scalar(sql).fetch_all(read).await?;
    let own = backends.iter().filter_map(|pid| kilobytes(&format!("/proc/{pid}/status"), "RssAnon"));
    Ok(own.sum::<f64>() / 1e3)
}

fn print(size: &Size, as_json: bool) {
    let [alone, many, query] =
        [size.alone, size.many, size.query].map(|Taken { p50_ms, least_ms }| (p50_ms, p50_ms / least_ms));
    if as_json {
        let of = |(p50_ms, ratio): (f64, f64)| json!({"p50_ms": p50_ms, "of_least": ratio});
        let roles: serde_json::Map<_, _> =
            size.roles_mb.iter().map(|(role, mb)| ((*role).to_owned(), json!(mb))).collect();
        let memory = json!({"own_mb": size.own_mb, "database_mb": size.database_mb, "disk_mb": size.disk_mb, "roles_mb": roles});
        let appends = json!({"1": of(alone), "64": of(many)});
        println!(
            "{}",
            json!({"events": size.events, "append": appends, "query": of(query), "memory": memory})
        );
        return;
    }
    let shown = |(p50_ms, ratio): (f64, f64)| format!("{p50_ms:.2} ({ratio:.2})");
    println!(
        "{:>10} {:>22} {:>22} {:>22} {:>8.0} {:>8.0} {:>8.0}",
        size.events,
        shown(alone),
        shown(many),
        shown(query),
        size.own_mb,
        size.database_mb,
        size.disk_mb
    );
    for (role, mb) in &size.roles_mb {
        println!("{role:>33} {mb:>8.0} MB");
    }
}
