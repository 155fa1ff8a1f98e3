//! How long after a command a query shows what it did, asked for with the command's token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::try_join_all;

use super::World;
use super::buyer::Buyer;
use super::figures::{Figures, Outcome};
use super::usage::Usage;

/// From the command's sending, and from its acknowledgement, to the answer of the query that shows it.
pub(super) async fn measure(world: &Arc<World>, callers: usize, time: Duration) -> Result<[Figures; 2]> {
    let before = Usage::now(world.shop.pid)?;
    let begun = Instant::now();
    let loops = (0..callers).map(|_| tokio::spawn(once_and_again(world.clone(), begun, time)));
    let (mut sent, mut acknowledged) = (Outcome::default(), Outcome::default());
    for outcome in try_join_all(loops).await? {
        let (one, other) = outcome?;
        sent.add(one);
        acknowledged.add(other);
    }
    let (took, cores) = (begun.elapsed(), Usage::now(world.shop.pid)?.since(&before));
    Ok([
        Figures::of("command and its query", callers, sent, took, cores),
        Figures::of("of that, the query", callers, acknowledged, took, cores),
    ])
}

async fn once_and_again(world: Arc<World>, begun: Instant, time: Duration) -> Result<(Outcome, Outcome)> {
    let mut buyer = Buyer::enters(&world.shop).await?;
    let cart = buyer.opens().await?;
    let path = format!("/v1/carts/{}", cart.id);
    let (mut sent, mut acknowledged) = (Outcome::default(), Outcome::default());
    for pieces in (1..=9).cycle() {
        if begun.elapsed() > time {
            break;
        }
        let at = Instant::now();
        let token = buyer.puts(&cart, "P-00001", pieces).await?;
        let done = Instant::now();
        let seen = buyer.sees(&path, &cart, &token).await?;
        ensure!(
            seen.contains(&format!("\"quantity\":{pieces}")),
            "the token has lied: {pieces} are not in {seen}"
        );
        sent.latencies.push(at.elapsed());
        acknowledged.latencies.push(done.elapsed());
    }
    Ok((sent, acknowledged))
}
