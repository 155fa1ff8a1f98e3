//! Whose CPU it was: the shop's, its PostgreSQL's, or the generator's own, from `/proc`.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// What `/proc` counts CPU time in.
const TICKS_PER_SECOND: f64 = 100.0;
/// In `/proc/<pid>/stat` after the name: the parent; user and system time, own and of children that are gone.
const PARENT: usize = 1;
const TIMES: std::ops::RangeInclusive<usize> = 11..=14;

/// CPU seconds used up to a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    at: Instant,
    shop: f64,
    database: f64,
    generator: f64,
}

/// Cores used between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cores {
    pub(super) shop: f64,
    pub(super) database: f64,
    pub(super) generator: f64,
}

struct Process {
    parent: u32,
    name: String,
    ticks: f64,
}

impl Usage {
    /// Now, of the `jumun up` with that process id.
    pub(super) fn now(up: u32) -> Result<Self> {
        let (all, own) = (processes()?, std::process::id());
        let (mut shop, mut database) = (0.0, 0.0);
        for (pid, process) in &all {
            // A script may have started both.
            if *pid != own && is_within(&all, *pid, up) {
                let whose = if process.name == "postgres" { &mut database } else { &mut shop };
                *whose += process.ticks / TICKS_PER_SECOND;
            }
        }
        let generator = all.get(&own).map_or(0.0, |own| own.ticks / TICKS_PER_SECOND);
        Ok(Self { at: Instant::now(), shop, database, generator })
    }

    pub(super) fn since(&self, before: &Self) -> Cores {
        let seconds = self.at.duration_since(before.at).as_secs_f64();
        Cores {
            shop: (self.shop - before.shop) / seconds,
            database: (self.database - before.database) / seconds,
            generator: (self.generator - before.generator) / seconds,
        }
    }
}

impl Cores {
    pub(super) fn json(&self) -> Value {
        json!({"shop": self.shop, "database": self.database, "generator": self.generator})
    }
}

fn processes() -> Result<HashMap<u32, Process>> {
    let mut all = HashMap::new();
    for entry in std::fs::read_dir("/proc").context("CPU times are read from /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Gone meanwhile.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        all.extend(process(&stat).map(|process| (pid, process)));
    }
    Ok(all)
}

fn process(stat: &str) -> Option<Process> {
    let (name, rest) = (stat.split_once('(')?.1).rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = fields.get(TIMES)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    Some(Process { parent: fields.get(PARENT)?.parse().ok()?, name: name.to_owned(), ticks })
}

fn is_within(all: &HashMap<u32, Process>, mut pid: u32, root: u32) -> bool {
    while pid != root {
        match all.get(&pid) {
            Some(process) if process.parent != 0 => pid = process.parent,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_past_a_name_with_brackets() {
        let stat = "7 (a (b) c) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5";
        let process = process(stat).unwrap();
        assert_eq!((process.parent, process.name.as_str(), process.ticks), (3, "a (b) c", 100.0));
    }

    #[test]
    fn own_time_passes_and_belongs_to_the_generator() {
        let before = Usage::now(std::process::id()).unwrap();
        let mut sum = 0_u64;
        while Usage::now(std::process::id()).unwrap().generator <= before.generator {
            sum = (0..1_000_000_u64).fold(sum, |sum, number| sum.wrapping_mul(31) ^ number);
        }
        let cores = Usage::now(std::process::id()).unwrap().since(&before);
        assert!(cores.generator > 0.0 && cores.database.abs() < f64::EPSILON, "{cores:?} {sum}");
    }
}
