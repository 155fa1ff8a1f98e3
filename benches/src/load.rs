//! A closed loop of clients, each doing the next thing when the last is acknowledged.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;

/// What one run reached.
pub(crate) struct Figures {
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Figures {
    pub(crate) fn print(&self, what: &str, clients: usize, base: f64) {
        let ratio = self.rate / base;
        println!(
            "{what:<28} {clients:>7} {:>10.0} {:>10.2} {:>10.2} {ratio:>12.3}",
            self.rate, self.p50_ms, self.p99_ms
        );
    }
}

/// Runs `clients` loops of `once` for that long and sums up. Any error ends the run: a bench with errors has no figures.
pub(crate) async fn drive<F, Fut>(clients: usize, time: Duration, once: F) -> Result<Figures>
where
    F: Fn(usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<()>> + Send,
{
    let begun = Instant::now();
    let loops = (0..clients).map(|client| {
        let once = once.clone();
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < time {
                let at = Instant::now();
                once(client).await?;
                latencies.push(at.elapsed());
            }
            anyhow::Ok(latencies)
        })
    });
    let mut latencies = Vec::new();
    for result in try_join_all(loops).await? {
        latencies.extend(result?);
    }
    let took = begun.elapsed();
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    };
    Ok(Figures { rate: latencies.len() as f64 / took.as_secs_f64(), p50_ms: at(0.5), p99_ms: at(0.99) })
}
