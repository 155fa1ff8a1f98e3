//! Replay and rebuild of a log that was filled with plausible orders, in a database of its own.
//!
//! `PG_URL=… bench replay`: reading everything, beside the paged read of `raw-sqlx` in `benches/peers`; rebuilding read models,
//! beside COPY of the rows that came of it. Costs are CPU time of this process and of the database per event.

mod cost;
mod orders;
mod raw;

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono::DateTime;
use clap::Args;
use event_store::{Batch, EventStore, Filter, MasterKey, Outcome, Position};
use projections::rebuild::{self, Options};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

pub(crate) use cost::{Clock, Cost};
use orders::Orders;

/// The database that is filled.
const DATABASE: &str = "bench_replay";
/// Commands that are appended at once.
const AT_ONCE: usize = 500;
/// Events read at once.
const PAGE: u32 = 4_000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// A PostgreSQL in which databases may be made.
    #[arg(long, env = "PG_URL")]
    url: PgConnectOptions,
    /// Events in the log. One that is there already is kept when it has as many. In a short one little is left of a rebuild but its
    /// beginning.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Read models that are rebuilt.
    #[arg(long, value_delimiter = ',', default_values_t = [String::from("orders")])]
    models: Vec<String>,
    /// Runs of everything.
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// How many fold at once.
    #[arg(long, value_delimiter = ',', default_values_t = [2])]
    workers: Vec<u32>,
    /// A line of JSON per figure instead of the table.
    #[arg(long)]
    json: bool,
}

/// Measures.
pub(crate) async fn measure(arguments: Arguments) -> Result<()> {
    if !arguments.json {
        println!(
            "{:<26} {:>9} {:>9} {:>10} {:>9} {:>9} {:>9}",
            "what", "events", "seconds", "per second", "own us", "pg us", "us"
        );
    }
    let log = Log::open(&arguments.url, arguments.events, arguments.json).await?;
    raw::fill(&log.pool, log.store.head().await?.position.0).await?;
    for _ in 0..arguments.runs {
        log.raw().await?;
        log.pages().await?;
        log.replay().await?;
        log.raw().await?;
        for model in &arguments.models {
            for &workers in &arguments.workers {
                log.rebuild(model, workers).await?;
            }
            log.copy(model).await?;
        }
    }
    Ok(())
}

/// A log that is filled.
struct Log {
    pool: PgPool,
    store: EventStore,
    read: PgPool,
    as_json: bool,
}

impl Log {
    async fn open(url: &PgConnectOptions, events: u64, as_json: bool) -> Result<Self> {
        let server = PgPool::connect_with(url.clone()).await?;
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&server)
            .await?;
        if exists {
            let log = Self::connect(url, as_json).await?;
            if log.store.head().await?.position.0 >= events {
                return Ok(log);
            }
            sqlx::query(AssertSqlSafe(format!("DROP DATABASE {DATABASE} WITH (FORCE)")))
                .execute(&server)
                .await?;
        }
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {DATABASE}"))).execute(&server).await?;
        let log = Self::connect(url, as_json).await?;
        log.fill(events).await?;
        Ok(log)
    }

    async fn connect(url: &PgConnectOptions, as_json: bool) -> Result<Self> {
        let options = url.clone().database(DATABASE);
        let pool = PgPoolOptions::new().max_connections(8).test_before_acquire(false);
        let pool = pool.connect_with(options.clone()).await?;
        event_store::migrate(&pool).await?;
        projections::migrate(&pool).await?;
        let store = EventStore::open(pool.clone(), MasterKey::parse(&"07".repeat(32))?).await?;
        let read = projections::connect(options, 4).await?;
        Ok(Self { pool, store, read, as_json })
    }

    fn row(&self, what: &str, events: u64, cost: Cost) {
        let each = |seconds: f64| seconds * 1e6 / events as f64;
        let (rate, own, database) = (events as f64 / cost.time, each(cost.own), each(cost.database));
        if self.as_json {
            let line = json!({"what": what.trim(), "events": events, "seconds": cost.time, "per_second": rate,
                "own_us": own, "database_us": database});
            println!("{line}");
            return;
        }
        println!(
            "{what:<26} {events:>9} {:>9.2} {rate:>10.0} {own:>9.1} {database:>9.1} {:>9.1}",
            cost.time,
            own + database
        );
    }

    async fn fill(&self, events: u64) -> Result<()> {
        let clock = Clock::start(&self.pool).await?;
        let mut orders = Orders::new(DateTime::from_timestamp(1_790_000_000, 0).context("a time")?);
        let mut waiting = orders.opening()?;
        let (node, mut known) = (Uuid::now_v7(), self.store.head().await?);
        while known.position.0 < events {
            while waiting.len() < AT_ONCE {
                waiting.extend(orders.next()?);
            }
            let batch = Batch { known, node, commands: std::mem::take(&mut waiting) };
            let appended = self.store.append(&batch).await?;
            let all = appended.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Appended { .. }));
            ensure!(all, "a command was not appended");
            known = self.store.head().await?;
        }
        for sql in ["VACUUM ANALYZE", "CHECKPOINT"] {
            sqlx::raw_sql(sql).execute(&self.pool).await?;
        }
        self.row("filling", known.position.0, clock.stop()?);
        Ok(())
    }

    /// The peers' loop over the peers' table.
    async fn raw(&self) -> Result<()> {
        let clock = Clock::start(&self.pool).await?;
        let count = raw::read(&self.pool).await?;
        self.row("raw-sqlx, pages, decoded", count, clock.stop()?);
        Ok(())
    }

    /// Every event, decoded, as it is replayed.
    async fn replay(&self) -> Result<()> {
        let clock = Clock::start(&self.pool).await?;
        let mut replay = self.store.replay(Position(0), Position(u64::MAX), &Filter::default()).await?;
        let mut last = 0;
        while let Some(page) = replay.next().await? {
            for received in page.events {
                let position = received.map_err(|event| anyhow::anyhow!("{event:?}"))?.position.0;
                ensure!(position == last + 1, "the log has a gap after {last}");
                last = position;
            }
        }
        self.row("replay, decoded", last, clock.stop()?);
        Ok(())
    }

    /// Every event, decoded, page by page.
    async fn pages(&self) -> Result<()> {
        let clock = Clock::start(&self.pool).await?;
        let (mut after, mut count) = (Position(0), 0);
        loop {
            let events = self.store.read(after, PAGE, &Filter::default()).await?;
            let Some(last) = events.last() else { break };
            after = last.position;
            count += events.len() as u64;
        }
        self.row("pages, decoded", count, clock.stop()?);
        Ok(())
    }

    async fn rebuild(&self, name: &str, workers: u32) -> Result<()> {
        let model =
            projections::models().into_iter().find(|model| model.name() == name).context("a model")?;
        // As many as a shop would let it have.
        let workers = workers.min(rebuild::workers(model.as_ref(), workers as usize));
        let options = Options { workers, restart: true, accept_differences: false };
        let clock = Clock::start(&self.pool).await?;
        let outcome =
            rebuild::run(&self.read, &self.store, Arc::from(model), options, Arc::default()).await?;
        ensure!(outcome.swapped.is_some(), "{name} was not swapped: {:?}", outcome.compared);
        let cost = clock.stop()?;
        self.row(&format!("rebuild of {name}, {workers} workers"), outcome.events, cost);
        self.row(&format!("  {name}: events passed"), self.store.head().await?.position.0, cost);
        Ok(())
    }

    /// What the rows of a model cost when nothing is done but COPY.
    async fn copy(&self, name: &str) -> Result<()> {
        let model =
            projections::models().into_iter().find(|model| model.name() == name).context("a model")?;
        let mut connection = self.read.acquire().await?;
        let (mut rows, mut data) = (0, Vec::new());
        for table in model.tables() {
            let sql = format!("COPY {table} TO STDOUT (FORMAT binary)");
            let mut all = Vec::new();
            let mut stream = connection.copy_out_raw(&sql).await?;
            while let Some(bytes) = futures::TryStreamExt::try_next(&mut stream).await? {
                all.extend_from_slice(&bytes);
            }
            data.push((table, all));
        }
        sqlx::query("BEGIN").execute(&mut *connection).await?;
        for (table, _) in &data {
            let options = "SELECT ' WITH (' || array_to_string(reloptions, ', ') || ')' FROM pg_class WHERE oid = $1::regclass";
            let options: Option<String> =
                sqlx::query_scalar(options).bind(table).fetch_one(&mut *connection).await?;
            let options = options.unwrap_or_default();
            let sql = format!("CREATE TABLE copied_{table} (LIKE {table} INCLUDING ALL){options}");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
        }
        let clock = Clock::start(&self.pool).await?;
        for (table, all) in data {
            let mut copy =
                connection.copy_in_raw(&format!("COPY copied_{table} FROM STDIN (FORMAT binary)")).await?;
            for chunk in all.chunks(1 << 16) {
                copy.send(chunk).await?;
            }
            rows += copy.finish().await?;
        }
        self.row(&format!("COPY of {name}"), rows, clock.stop()?);
        sqlx::query("ROLLBACK").execute(&mut *connection).await?;
        Ok(())
    }
}
