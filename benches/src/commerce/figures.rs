//! What a point came to, for people and for programs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::usage::Cores;

/// What was counted while a point was measured.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) latencies: Vec<Duration>,
    /// What the shop said no to on purpose: sold out.
    pub(super) refused: u64,
    /// What went wrong, and how often.
    pub(super) failures: BTreeMap<String, u64>,
}

impl Outcome {
    pub(super) fn fail(&mut self, error: &anyhow::Error) {
        let text: String = format!("{error:#}").chars().take(200).collect();
        *self.failures.entry(text).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.refused += other.refused;
        for (text, count) in other.failures {
            *self.failures.entry(text).or_default() += count;
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) point: String,
    pub(super) callers: usize,
    pub(super) done: usize,
    pub(super) per_second: f64,
    pub(super) quantiles_ms: [f64; 3],
    pub(super) refused: u64,
    pub(super) failed: u64,
    pub(super) cores: Cores,
    pub(super) failures: BTreeMap<String, u64>,
}

impl Figures {
    pub(super) fn of(
        point: &str,
        callers: usize,
        mut outcome: Outcome,
        took: Duration,
        cores: Cores,
    ) -> Self {
        outcome.latencies.sort_unstable();
        Self {
            point: point.to_owned(),
            callers,
            done: outcome.latencies.len(),
            per_second: outcome.latencies.len() as f64 / took.as_secs_f64(),
            quantiles_ms: [0.5, 0.99, 0.999].map(|share| quantile_ms(&outcome.latencies, share)),
            refused: outcome.refused,
            failed: outcome.failures.values().sum(),
            cores,
            failures: outcome.failures,
        }
    }

    pub(super) fn p99_ms(&self) -> f64 {
        self.quantiles_ms[1]
    }

    /// The head of the table.
    pub(super) fn print_head() {
        println!(
            "{:<26} {:>7} {:>8} {:>10} {:>9} {:>9} {:>9} {:>7} {:>6} {:>6} {:>6} {:>9}",
            "what",
            "callers",
            "done",
            "per second",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "refused",
            "failed",
            "shop",
            "db",
            "generator"
        );
    }

    pub(super) fn print(&self, as_json: bool) {
        if as_json {
            println!("{}", self.json());
            return;
        }
        let ([p50, p99, p999], cores) = (self.quantiles_ms, &self.cores);
        println!(
            "{:<26} {:>7} {:>8} {:>10.1} {p50:>9.2} {p99:>9.2} {p999:>9.2} {:>7} {:>6} {:>6.2} {:>6.2} {:>9.2}",
            self.point,
            self.callers,
            self.done,
            self.per_second,
            self.refused,
            self.failed,
            cores.shop,
            cores.database,
            cores.generator
        );
        for (text, count) in &self.failures {
            println!("    {count} x {text}");
        }
    }

    fn json(&self) -> Value {
        let [p50, p99, p999] = self.quantiles_ms;
        json!({
            "point": self.point, "callers": self.callers, "done": self.done, "per_second": self.per_second,
            "p50_ms": p50, "p99_ms": p99, "p999_ms": p999, "refused": self.refused, "failed": self.failed,
            "cores": self.cores.json(), "failures": self.failures,
        })
    }
}

fn quantile_ms(sorted: &[Duration], share: f64) -> f64 {
    let index = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_done_and_failures_are_counted_by_kind() {
        let mut outcome = Outcome {
            latencies: (1..=1000).rev().map(Duration::from_millis).collect(),
            ..Outcome::default()
        };
        let mut other = Outcome { refused: 2, ..Outcome::default() };
        for text in ["gone", "gone", "odd"] {
            other.fail(&anyhow::anyhow!(text));
        }
        outcome.add(other);
        let figures = Figures::of("any", 8, outcome, Duration::from_secs(10), Cores::default());
        assert_eq!(figures.quantiles_ms.map(|quantile| quantile.round() as u64), [501, 991, 1000]);
        assert!((figures.per_second - 100.0).abs() < 0.001);
        assert_eq!((figures.refused, figures.failed, figures.failures["gone"]), (2, 3, 2));
    }
}
