//! Does to the system what the plan says, and mends it again.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio::sync::{Mutex, oneshot};
use tokio::task::JoinSet;

use super::plan::{Fault, Injection, ROLES};
use super::proxy::Mode;
use super::system::{Disk, System};

/// Between two looks for roles that have ended by themselves.
const LOOK: Duration = Duration::from_millis(200);
/// What may still be written to a disk that is full, in kilobytes.
const SPARE: u64 = 64;

/// Who may hurt a target now.
type Targets = Arc<Mutex<HashMap<String, Arc<Mutex<()>>>>>;

async fn target(targets: &Targets, name: String) -> Arc<Mutex<()>> {
    Arc::clone(targets.lock().await.entry(name).or_default())
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Injected {
    /// How many faults of each kind.
    pub(super) kinds: std::collections::BTreeMap<&'static str, u32>,
    /// How often PostgreSQL has found its disk full.
    pub(super) found_full: usize,
    /// How often PostgreSQL was seen to wait for a slow disk.
    pub(super) found_slow: usize,
    /// Connections with a proxy that nobody has made.
    pub(super) unused: Vec<String>,
    /// Roles that ended though nobody had killed them; they were started again.
    pub(super) ended: Vec<String>,
}

/// Injects all of it; when this returns, everything runs again.
pub(super) async fn inject(system: &Arc<System>, plan: &[Injection], start: Instant) -> Injected {
    let (targets, mut running) = (Targets::default(), JoinSet::new());
    let (over, is_over) = oneshot::channel();
    let watching = tokio::spawn(watch(Arc::clone(system), Arc::clone(&targets), is_over));
    let mut injected = Injected::default();
    for injection in plan {
        tokio::time::sleep_until((start + injection.at).into()).await;
        *injected.kinds.entry(injection.fault.kind()).or_default() += 1;
        let (system, targets, injection) = (Arc::clone(system), Arc::clone(&targets), injection.clone());
        running.spawn(async move {
            let target = target(&targets, injection.fault.target()).await;
            let _alone = target.lock().await;
            println!(
                "{:>7.2} s  {} for {:?}",
                start.elapsed().as_secs_f64(),
                injection.fault,
                injection.lasts
            );
            let before = found_full(&system);
            hurt(&system, injection.fault).await;
            let slow = tokio::time::timeout(injection.lasts, found_slow(&system, injection.fault));
            let (slow, ()) = tokio::join!(slow, tokio::time::sleep(injection.lasts));
            let full = found_full(&system).saturating_sub(before);
            mend(&system, injection.fault).await;
            (if injection.fault == Fault::FullDisk { full } else { 0 }, usize::from(slow.unwrap_or(false)))
        });
    }
    while let Some(done) = running.join_next().await {
        let (full, slow) = done.unwrap();
        injected.found_full += full;
        injected.found_slow += slow;
    }
    system.mend();
    over.send(()).unwrap();
    injected.unused = system.unused_links();
    injected.ended = watching.await.unwrap();
    injected
}

/// Starts roles again that have ended by themselves, as whoever operates them would.
async fn watch(system: Arc<System>, targets: Targets, mut is_over: oneshot::Receiver<()>) -> Vec<String> {
    let mut ended = Vec::new();
    loop {
        let last = is_over.try_recv().is_ok();
        for role in ROLES {
            let target = target(&targets, (*role).to_owned()).await;
            if let Ok(_alone) = target.try_lock()
                && let Some(status) = system.shop.role_ended(role)
            {
                let said = system.shop.role_said(role);
                ended.push(format!("{role}, {status}: {}", said.lines().last().unwrap_or_default()));
                system.shop.start_role_again(role);
            }
        }
        if last {
            return ended;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn found_full(system: &System) -> usize {
    system.ground.disk.as_ref().map_or(0, Disk::found_full)
}

/// Whether a commit takes as long as the disk is to take. There may be no server now.
async fn found_slow(system: &System, fault: Fault) -> bool {
    let Fault::SlowDisk(takes) = fault else { return false };
    let Ok(mut database) = PgConnection::connect(&system.shop.database_url).await else { return false };
    let began = Instant::now();
    let commit = sqlx::query("SELECT pg_logical_emit_message(true, 'slow', '')").execute(&mut database);
    commit.await.is_ok() && began.elapsed() >= takes
}

async fn hurt(system: &Arc<System>, fault: Fault) {
    let servers = &system.ground.servers;
    match fault {
        Fault::KillRole(role) => system.shop.kill_role(role),
        Fault::FreezeRole(role) => system.shop.signal_role(role, "STOP"),
        Fault::KillServer(server) => servers.fault("kill", server).await,
        Fault::FreezeServer(server) => servers.fault("pause", server).await,
        Fault::KillBackend => kill_backend(&system.shop.database_url).await,
        Fault::Link(link, mode) => system.set_link(link, mode),
        Fault::Clock(role, seconds) => system.set_clock(role, seconds),
        Fault::SlowDisk(takes) => system.ground.flushes_take(takes),
        Fault::FullDisk => {
            if let Some(disk) = &system.ground.disk {
                disk.fill(SPARE);
            }
        }
    }
}

async fn mend(system: &Arc<System>, fault: Fault) {
    let servers = &system.ground.servers;
    match fault {
        Fault::KillRole(role) => system.shop.start_role_again(role),
        Fault::FreezeRole(role) => system.shop.signal_role(role, "CONT"),
        Fault::KillServer(server) => servers.fault("start", server).await,
        Fault::FreezeServer(server) => servers.fault("resume", server).await,
        // PostgreSQL sees to it.
        Fault::KillBackend => {}
        Fault::Link(link, _) => system.set_link(link, Mode::Well),
        Fault::Clock(role, _) => system.set_clock(role, 0),
        Fault::SlowDisk(_) => system.ground.flushes_take(Duration::ZERO),
        Fault::FullDisk => {
            if let Some(disk) = &system.ground.disk {
                disk.empty();
            }
            // It may have given up.
            servers.fault("start", "postgres").await;
        }
    }
}

/// kill -9 of the process of a connection: of the one that asks, when there is no other. There may be no server now.
async fn kill_backend(database_url: &str) {
    let Ok(mut database) = PgConnection::connect(database_url).await else { return };
    let any = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'
                ORDER BY state = 'active' DESC, pid = pg_backend_pid(), query_start DESC LIMIT 1";
    if let Ok(pid) = sqlx::query_scalar::<_, i32>(any).fetch_one(&mut database).await {
        let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    }
}
