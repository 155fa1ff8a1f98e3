//! A closed loop of clients, each doing the next thing when the last is acknowledged.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;

/// Runs `clients` loops of `once` for that long. Answers the median of what one took, in milliseconds. Any error ends the run: a bench
/// with errors has no figures.
pub(crate) async fn median_ms<F, Fut>(clients: usize, time: Duration, once: F) -> Result<f64>
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
    latencies.sort_unstable();
    Ok(latencies.get(latencies.len() / 2).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0))
}
