//! Closed loops: a caller begins its next flow when the last one is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;

use super::World;
use super::buyer::{Bought, Buyer, Until};
use super::catalogue::{BOUGHT, FIRST_PAGE, sku};
use super::chance::Chance;
use super::figures::{Figures, Outcome};
use super::usage::Usage;

/// What callers do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flow {
    /// A new guest buys two random items.
    Buy(Until),
    /// A word, one of the first pages.
    Search,
    /// A page of all products.
    List,
    /// A word, and a least price that nobody has named before, so that no answer can be given again.
    SearchAnew,
    /// All products, with such a price.
    ListAnew,
}

impl Flow {
    fn name(self) -> &'static str {
        match self {
            Self::Buy(Until::Paid) => "guest checkout, paid",
            Self::Buy(Until::Placed) => "guest checkout, placed",
            Self::Search => "search by a word",
            Self::List => "list products",
            Self::SearchAnew => "search, all different",
            Self::ListAnew => "list, all different",
        }
    }

    async fn once(self, world: &World, buyer: &mut Buyer, chance: &mut Chance) -> Result<Bought> {
        match self {
            Self::Buy(until) => {
                let (one, other) = (sku(chance.below(BOUGHT)), sku(chance.below(BOUGHT)));
                return buyer.buys(&[&one, &other], until).await;
            }
            Self::Search => buyer.reads(chance.of(&world.pages.search)).await?,
            Self::List => buyer.reads(chance.of(&world.pages.list)).await?,
            Self::SearchAnew => buyer.reads(&world.anew(chance.of(&world.pages.words))).await?,
            Self::ListAnew => buyer.reads(&world.anew(FIRST_PAGE)).await?,
        }
        Ok(Bought::Order)
    }
}

/// Measures so many callers for that long.
pub(super) async fn measure(
    world: &Arc<World>,
    flow: Flow,
    callers: usize,
    time: Duration,
) -> Result<Figures> {
    let before = Usage::now(world.shop.pid)?;
    let begun = Instant::now();
    let loops = (0..callers).map(|caller| {
        let world = world.clone();
        tokio::spawn(async move {
            let mut buyer = Buyer::enters(&world.shop).await?;
            let mut chance = Chance::new(world.seed() + caller as u64);
            let mut outcome = Outcome::default();
            while begun.elapsed() < time {
                let at = Instant::now();
                note(&mut outcome, at, flow.once(&world, &mut buyer, &mut chance).await);
            }
            anyhow::Ok(outcome)
        })
    });
    let outcome = together(try_join_all(loops).await?)?;
    let cores = Usage::now(world.shop.pid)?.since(&before);
    Ok(Figures::of(flow.name(), callers, outcome, begun.elapsed(), cores))
}

/// So many buyers want one of the few pieces that there are, all at once, once each.
pub(super) async fn hot(world: &Arc<World>, sku: &str, buyers: usize) -> Result<Figures> {
    let mut entered = Vec::new();
    for _ in 0..buyers {
        entered.push(Buyer::enters(&world.shop).await?);
    }
    let before = Usage::now(world.shop.pid)?;
    let begun = Instant::now();
    let buying = entered.into_iter().map(|mut buyer| {
        let sku = sku.to_owned();
        tokio::spawn(async move {
            let mut outcome = Outcome::default();
            note(&mut outcome, begun, buyer.buys(&[&sku], Until::Paid).await);
            anyhow::Ok(outcome)
        })
    });
    let outcome = together(try_join_all(buying).await?)?;
    let cores = Usage::now(world.shop.pid)?.since(&before);
    Ok(Figures::of("100 pieces, paid", buyers, outcome, begun.elapsed(), cores))
}

fn note(outcome: &mut Outcome, at: Instant, result: Result<Bought>) {
    match result {
        Ok(Bought::Order) => outcome.latencies.push(at.elapsed()),
        Ok(Bought::Refused) => outcome.refused += 1,
        Err(error) => outcome.fail(&error),
    }
}

pub(super) fn together(outcomes: Vec<Result<Outcome>>) -> Result<Outcome> {
    let mut all = Outcome::default();
    for outcome in outcomes {
        all.add(outcome?);
    }
    Ok(all)
}
