//! What something costs: time, and the CPU time of this process and of the database.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use sqlx::PgPool;

/// What `/proc` counts CPU time in.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds used up to a moment.
pub(crate) struct Clock {
    postmaster: u32,
    at: Instant,
    own: f64,
    database: f64,
}

/// What something has cost, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) time: f64,
    pub(crate) own: f64,
    pub(crate) database: f64,
}

impl Clock {
    /// Begins. The database is to be on this machine, otherwise its CPU time is zero.
    pub(crate) async fn start(pool: &PgPool) -> Result<Self> {
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(pool).await?;
        let postmaster = stat(backend.unsigned_abs()).map_or(0, |(parent, ..)| parent);
        Ok(Self { postmaster, at: Instant::now(), own: own()?, database: database(postmaster)? })
    }

    /// What was used since.
    pub(crate) fn stop(&self) -> Result<Cost> {
        let time = self.at.elapsed().as_secs_f64();
        // A backend that has just been left is counted when it is gone.
        std::thread::sleep(Duration::from_millis(300));
        Ok(Cost { time, own: own()? - self.own, database: database(self.postmaster)? - self.database })
    }
}

fn own() -> Result<f64> {
    let (_, ticks, _) = stat(std::process::id()).context("CPU times are read from /proc")?;
    Ok(ticks / TICKS_PER_SECOND)
}

/// Its processes, those that are gone included.
fn database(postmaster: u32) -> Result<f64> {
    if postmaster == 0 {
        return Ok(0.0);
    }
    let mut sum = stat(postmaster).map_or(0.0, |(_, own, gone)| own + gone);
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Some((parent, own, _)) = stat(pid)
            && parent == postmaster
        {
            sum += own;
        }
    }
    Ok(sum / TICKS_PER_SECOND)
}

/// A process: its parent, its ticks, those of its children that are gone.
fn stat(pid: u32) -> Option<(u32, f64, f64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |from: usize| -> Option<f64> {
        Some(fields.get(from)?.parse::<f64>().ok()? + fields.get(from + 1)?.parse::<f64>().ok()?)
    };
    Some((fields.get(1)?.parse().ok()?, ticks(11)?, ticks(13)?))
}
