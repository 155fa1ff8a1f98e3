//! Mixed traffic at a fixed rate: 95 % queries, 5 % commands. The loop is open: when a request is to be sent is decided
//! beforehand, and its latency counts from then, so that a shop which is slow for a moment is charged for all who wait
//! (no coordinated omission).
//!
//! A hundredth of the rate is buyers: each takes five commands a second apart (a cart, an item, another, one more piece of the
//! first, the order) and one query with the token of its order. The other queries are 25 % searches, 35 % pages of the list,
//! 40 % single products.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures::future::try_join_all;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::World;
use super::buyer::{Buyer, Until};
use super::catalogue::{BOUGHT, sku};
use super::chance::Chance;
use super::closed::together;
use super::figures::{Figures, Outcome};
use super::usage::Usage;

/// Of a hundred requests so many are commands, and a buyer sends so many.
const COMMANDS: u64 = 5;
/// Queries under way at once. More than the shop can work at together; who finds none free waits, and that counts.
const READERS: usize = 256;
/// Between two commands of a buyer.
const THINKS: Duration = Duration::from_secs(1);
const WARM_UP: Duration = Duration::from_secs(5);
/// Who is so late does not hold the rate any more.
const LATE: Duration = Duration::from_secs(3);
pub(super) const QUERY_P99_MS: f64 = 50.0;
pub(super) const COMMAND_P99_MS: f64 = 150.0;

/// One run at one rate.
struct Run {
    world: Arc<World>,
    begun: Instant,
    end: Instant,
    /// Requests per second of each kind.
    queries: f64,
    orders: f64,
    next: AtomicU64,
    is_late: AtomicBool,
    idle: Mutex<Vec<Buyer>>,
}

/// What a rate came to.
pub(super) struct Held {
    pub(super) queries: Figures,
    pub(super) commands: Figures,
    is_late: bool,
}

impl Held {
    /// Whether the shop keeps up, and nobody waits too long.
    pub(super) fn is_held(&self) -> bool {
        let quick = self.queries.p99_ms() < QUERY_P99_MS && self.commands.p99_ms() < COMMAND_P99_MS;
        quick && !self.is_late && self.queries.failed + self.commands.failed == 0
    }
}

/// Measures at so many requests per second in all.
pub(super) async fn measure(world: &Arc<World>, rate: u64, time: Duration) -> Result<Held> {
    let orders = rate as f64 / 100.0;
    let mut idle = Vec::new();
    for _ in 0..(orders * 6.0) as usize {
        idle.push(Buyer::enters(&world.shop).await?);
    }
    let begun = Instant::now() + Duration::from_millis(100);
    let run = Arc::new(Run {
        world: world.clone(),
        begun,
        end: begun + WARM_UP + time,
        // The query of each order is one of them.
        queries: rate as f64 * (100 - COMMANDS) as f64 / 100.0 - orders,
        orders,
        next: AtomicU64::new(0),
        is_late: AtomicBool::new(false),
        idle: Mutex::new(idle),
    });
    let readers = (0..READERS).map(|reader| tokio::spawn(run.clone().read(reader as u64)));
    let readers: Vec<_> = readers.collect();
    let selling = tokio::spawn(run.clone().sell());
    sleep_until(begun + WARM_UP).await;
    let before = Usage::now(world.shop.pid)?;
    sleep_until(run.end).await;
    let cores = Usage::now(world.shop.pid)?.since(&before);
    let mut queries = together(try_join_all(readers).await?)?;
    let (commands, seen) = selling.await??;
    queries.add(seen);
    Ok(Held {
        queries: Figures::of(&format!("{rate}/s mixed: queries"), 0, queries, time, cores),
        commands: Figures::of(&format!("{rate}/s mixed: commands"), 0, commands, time, cores),
        is_late: run.is_late.load(Ordering::Relaxed),
    })
}

impl Run {
    /// Takes the next query of the plan, again and again.
    async fn read(self: Arc<Self>, reader: u64) -> Result<Outcome> {
        let mut buyer = Buyer::enters(&self.world.shop).await?;
        let mut chance = Chance::new(self.world.seed() + reader);
        let (mut outcome, pages) = (Outcome::default(), &self.world.pages);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let at = self.begun + Duration::from_secs_f64(number as f64 / self.queries);
            if at >= self.end || self.has_given_up(at) {
                return Ok(outcome);
            }
            sleep_until(at).await;
            let path = match chance.below(100) {
                0..25 => chance.of(&pages.search),
                25..60 => chance.of(&pages.list),
                _ => chance.of(&pages.products),
            };
            self.note(&mut outcome, at, buyer.reads(path).await);
        }
    }

    /// Sends buyers in, at their rate: what their commands came to, and their queries.
    async fn sell(self: Arc<Self>) -> Result<(Outcome, Outcome)> {
        let mut buying = Vec::new();
        let (mut commands, mut queries) = (Outcome::default(), Outcome::default());
        for number in 0_u32.. {
            let at = self.begun + Duration::from_secs_f64(f64::from(number) / self.orders);
            if at >= self.end || self.has_given_up(at) {
                break;
            }
            sleep_until(at).await;
            buying.push(tokio::spawn(self.clone().buy(at, u64::from(number))));
        }
        for (own, seen) in try_join_all(buying).await? {
            commands.add(own);
            queries.add(seen);
        }
        Ok((commands, queries))
    }

    async fn buy(self: Arc<Self>, at: Instant, number: u64) -> (Outcome, Outcome) {
        let (mut commands, mut queries) = (Outcome::default(), Outcome::default());
        if let Err(error) = self.steps(at, number, &mut commands, &mut queries).await {
            commands.fail(&error);
        }
        (commands, queries)
    }

    async fn steps(
        &self,
        at: Instant,
        number: u64,
        commands: &mut Outcome,
        queries: &mut Outcome,
    ) -> Result<()> {
        let idle = self.idle.lock().await.pop();
        let mut buyer = match idle {
            Some(buyer) => buyer,
            None => Buyer::enters(&self.world.shop).await?,
        };
        let mut chance = Chance::new(self.world.seed() + number);
        let cart = buyer.opens().await?;
        self.note(commands, at, Ok(()));
        let (one, other) = (sku(chance.below(BOUGHT)), sku(chance.below(BOUGHT)));
        for (step, (sku, pieces)) in (1..).zip([(&one, 1), (&other, 1), (&one, 2)]) {
            let at = at + THINKS * step;
            sleep_until(at).await;
            buyer.puts(&cart, sku, pieces).await?;
            self.note(commands, at, Ok(()));
        }
        let at = at + THINKS * 4;
        sleep_until(at).await;
        let placed = buyer.orders(&cart, Until::Placed).await?;
        self.note(commands, at, Ok(()));
        if let Some((order, token)) = placed {
            let at = Instant::now();
            let seen = buyer.sees(&format!("/v1/orders/{order}"), &cart, &token).await;
            self.note(queries, at, seen.map(drop));
        }
        self.idle.lock().await.push(buyer);
        Ok(())
    }

    fn has_given_up(&self, at: Instant) -> bool {
        if at.elapsed() > LATE {
            self.is_late.store(true, Ordering::Relaxed);
        }
        self.is_late.load(Ordering::Relaxed)
    }

    fn note(&self, outcome: &mut Outcome, at: Instant, result: Result<()>) {
        match result {
            Err(error) => outcome.fail(&error),
            Ok(()) if at >= self.begun + WARM_UP && at < self.end => outcome.latencies.push(at.elapsed()),
            Ok(()) => {}
        }
    }
}
