//! What a `kill -9` of us has left: a PostgreSQL that still runs on the folder, or the traces of one.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::Instant;

use super::programs::Programs;

/// How long what still runs may take to end.
const DEADLINE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Clears the folder for a new start. A server that is left over is stopped, not taken over: the new one is our own child, with
/// today's settings, and its start takes no longer than a moment.
pub(super) async fn clear(programs: &Programs, cluster: &Path) -> Result<()> {
    let pid_file = cluster.join("postmaster.pid");
    if running(cluster).contains(&postmaster(&pid_file).unwrap_or(0)) {
        tracing::info!("a PostgreSQL of an earlier `jumun up` still runs here; it is stopped first");
        stop(programs, cluster).await?;
    }
    // Backends that have lost their postmaster end when they notice. Until then a new one would meet them in the same files.
    let deadline = Instant::now() + DEADLINE;
    loop {
        let left = running(cluster);
        if left.is_empty() {
            break;
        }
        if Instant::now() > deadline {
            bail!("processes {left:?} still work on {}: end them first", cluster.display());
        }
        tokio::time::sleep(PAUSE).await;
    }
    // Nobody works on the folder, so the number in the file may be anybody's by now.
    match std::fs::remove_file(&pid_file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", pid_file.display()))
        }
        _ => Ok(()),
    }
}

/// Stops the server on that folder: with its sessions ended and everything written, else at once.
pub(super) async fn stop(programs: &Programs, cluster: &Path) -> Result<()> {
    for mode in ["fast", "immediate"] {
        let mut stop = programs.command("pg_ctl");
        stop.args(["stop", "--silent", "--wait", "--timeout=60", "--mode", mode, "--pgdata"]).arg(cluster);
        let output = stop.output().await.context("pg_ctl cannot be run")?;
        if output.status.success() || running(cluster).is_empty() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        tracing::warn!(mode, "PostgreSQL does not stop: {said}");
    }
    bail!("the PostgreSQL on {} does not stop", cluster.display())
}

fn postmaster(pid_file: &Path) -> Option<u32> {
    std::fs::read_to_string(pid_file).ok()?.lines().next()?.trim().parse().ok()
}

/// The processes whose working folder it is: a postmaster's and its backends' is the cluster.
pub(super) fn running(cluster: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let working = processes.filter(|process| {
        std::fs::read_link(process.path().join("cwd")).is_ok_and(|folder| folder == cluster)
    });
    working.filter_map(|process| process.file_name().to_str()?.parse().ok()).collect()
}
