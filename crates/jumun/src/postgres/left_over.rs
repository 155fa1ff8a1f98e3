//! What a `kill -9` of us has left: a PostgreSQL that still runs on the folder, or the traces of one.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::Instant;

use super::processes::{Processes, Whose};
use super::programs::Programs;

/// How long what still runs may take to end.
const DEADLINE: Duration = Duration::from_secs(60);
/// How long a server may still be there when it says that it has stopped.
const END_DEADLINE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);
const PID_FILE: &str = "postmaster.pid";

/// Clears the folder for a new start. A server that is left over is stopped, not taken over: the new one is our own child, with
/// today's settings, and its start takes no longer than a moment.
pub(super) async fn clear(programs: &Programs, cluster: &Path) -> Result<()> {
    let processes = Processes::default();
    if postmaster(cluster).is_some_and(|pid| processes.whose(pid, cluster) == Whose::Ours) {
        tracing::info!("a PostgreSQL of an earlier `jumun up` still runs here; it is stopped first");
        stop(programs, cluster).await?;
    }
    // Backends that have lost their postmaster end when they notice. Until then a new one would meet them in the same files.
    let deadline = Instant::now() + DEADLINE;
    loop {
        let left = processes.on(cluster);
        if left.is_empty() {
            break;
        }
        if Instant::now() > deadline {
            bail!("processes {left:?} still work on {}: end them first", cluster.display());
        }
        tokio::time::sleep(PAUSE).await;
    }
    remove_pid_file(&processes, cluster)
}

/// Removes the file with the postmaster's number when PostgreSQL would take it for a running server although it is certain that
/// there is none. Everything else is left to PostgreSQL, which removes a file that is out of date itself, after a look at more
/// than we can see.
fn remove_pid_file(processes: &Processes, cluster: &Path) -> Result<()> {
    let whose = postmaster(cluster).map(|pid| processes.whose(pid, cluster));
    match whose {
        Some(Whose::Ours | Whose::Orphan | Whose::Hidden | Whose::Absent) => return Ok(()),
        // The number is somebody else's by now, or nobody can be asked for it; or a crash has left the file without one.
        Some(Whose::Others | Whose::Dead) | None => {}
    }
    let path = cluster.join(PID_FILE);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

/// Stops the server on that folder: with its sessions ended and everything written, else at once.
pub(super) async fn stop(programs: &Programs, cluster: &Path) -> Result<()> {
    let processes = Processes::default();
    let pid = postmaster(cluster);
    for mode in ["fast", "immediate"] {
        let mut stop = programs.command("pg_ctl");
        stop.args(["stop", "--silent", "--wait", "--timeout=60", "--mode", mode, "--pgdata"]).arg(cluster);
        let output = stop.output().await.context("pg_ctl cannot be run")?;
        // The server removes its file a moment before it ends.
        let deadline = Instant::now() + END_DEADLINE;
        while output.status.success() && lives(&processes, pid, cluster) && Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
        }
        if !lives(&processes, pid, cluster) {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        tracing::warn!(mode, "PostgreSQL does not stop: {said}");
    }
    bail!("the PostgreSQL on {} does not stop", cluster.display())
}

/// Whether that server, or anything else on the folder, may still be there.
fn lives(processes: &Processes, pid: Option<u32>, cluster: &Path) -> bool {
    let server = pid.is_some_and(|pid| {
        matches!(processes.whose(pid, cluster), Whose::Ours | Whose::Orphan | Whose::Hidden)
    });
    server || !processes.on(cluster).is_empty()
}

fn postmaster(cluster: &Path) -> Option<u32> {
    std::fs::read_to_string(cluster.join(PID_FILE)).ok()?.lines().next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_removed_only_when_its_number_is_surely_no_server() {
        let cluster = std::env::temp_dir().join(format!("jumun-pid-file-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&cluster).unwrap();
        let file = cluster.join(PID_FILE);
        let stays = |content: &str| {
            std::fs::write(&file, content).unwrap();
            remove_pid_file(&Processes::default(), &cluster).unwrap();
            file.exists()
        };
        // Ours is the number of a process that is no PostgreSQL; none can have the last one.
        assert!(!stays(&format!("{}\n", std::process::id())));
        assert!(!stays(""));
        assert!(stays("4294967295\n"), "PostgreSQL looks at more than we can");
        std::fs::remove_dir_all(cluster).unwrap();
    }
}
