//! One run: traffic and faults, then peace, then the checks.

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;

use super::checker;
use super::client::{Client, World};
use super::evidence::{Evidence, all_taken_in, steps_left};
use super::history::History;
use super::injector::inject;
use super::members::members;
use super::plan::schedule;
use super::report::Report;
use super::system::System;
use super::traffic::{buyer, keeper, visitor};
use crate::import::invoices;
use crate::shop::Shop;

const BUYERS: u64 = 6;
const KEEPERS: u64 = 2;
/// Once all is well, everything that was begun is finished within this.
const FINISHED: Duration = Duration::from_secs(150);
const INVOICES: &str = "invoices.csv";
const INVOICE_LINES_PER_SECOND: usize = 15;
const LOOK: Duration = Duration::from_millis(500);

pub(super) async fn run(seed: u64, length: Duration) -> Report {
    let system = Arc::new(System::start().await);
    let plan = schedule(seed, length, system.able());
    println!("seed {seed}, {} faults in {} s", plan.len(), length.as_secs());
    let world = World::of(&system.shop).await;
    let clients = start_clients(&system.shop, &world, seed).await;
    write_invoices(&system.shop, length);
    let import = start_import(&system.shop);
    let injected = inject(&system, &plan, world.start).await;
    tokio::time::sleep_until((world.start + length).into()).await;
    world.stopped.store(true, Ordering::Relaxed);
    let unready = unready(&system).await;
    let healed = Instant::now();
    let history = all(clients).await;
    let imported = imported(&system.shop, import).await;
    let left = finished(&system.shop).await;
    let quiet = healed.elapsed();
    let (broken, checks) = verify(&system.shop).await;
    let mut evidence = Evidence::of(&system.shop, history).await;
    evidence.steps_left = left.into_iter().chain(unready).collect();
    evidence.broken = broken.into_iter().chain(imported).collect();
    evidence.verified = checks.len();
    let violations = checker::check(&evidence);
    let report = Report { seed, length, injected, evidence, checks, quiet, violations };
    close(system, &report).await;
    report
}

async fn start_clients(shop: &Shop, world: &Arc<World>, seed: u64) -> JoinSet<History> {
    let staff = shop.staff().await;
    // Few pieces of some, so that they run out, and many of others.
    let mut skus = Vec::new();
    for pieces in [5, 12, 2_000, 2_000] {
        skus.push(shop.product(&staff, 10_000, pieces).await);
    }
    let mut clients = JoinSet::new();
    for id in 0..BUYERS {
        clients.spawn(buyer(Client::new(id, seed, world), skus.clone()));
    }
    for id in BUYERS..BUYERS + KEEPERS {
        let own = shop.product(&staff, 1_000, 0).await;
        clients.spawn(keeper(Client::new(id, seed, world), own, skus[..2].to_vec()));
    }
    let member = Client::new(BUYERS + KEEPERS + 1, seed, world);
    clients.spawn(members(member, seed));
    clients.spawn(visitor(Client::new(BUYERS + KEEPERS, seed, world), skus));
    clients
}

async fn all(mut clients: JoinSet<History>) -> History {
    let mut all = History::default();
    while let Some(history) = clients.join_next().await {
        all.add(history.unwrap());
    }
    all
}

type Import = tokio::task::JoinHandle<std::io::Result<Output>>;

/// As many lines as may keep the importer busy for that long.
fn write_invoices(shop: &Shop, length: Duration) {
    let all = std::fs::read_to_string(invoices()).unwrap();
    let lines = 1 + INVOICE_LINES_PER_SECOND * usize::try_from(length.as_secs()).unwrap();
    let some: String = all.split_inclusive('\n').take(lines).collect();
    std::fs::write(shop.data_dir.join(INVOICES), some).unwrap();
}

fn start_import(shop: &Shop) -> Import {
    let file = shop.data_dir.join(INVOICES).display().to_string();
    let mut import = shop.tool(&["import", "invoices", &file, "--json"]);
    tokio::spawn(async move { import.output().await })
}

/// The importer may give up while things go wrong; run again it must find that nothing is missing or doubled. What is wrong.
async fn imported(shop: &Shop, import: Import) -> Option<String> {
    let mut output = import.await.unwrap().unwrap();
    if !output.status.success() {
        println!("the importer gave up, and is run again: {}", last_line(&output.stderr));
        output = start_import(shop).await.unwrap().unwrap();
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let summary = said.lines().rfind(|line| line.starts_with('{'));
    let summary: Option<Value> = summary.and_then(|line| serde_json::from_str(line).ok());
    let equal = summary.as_ref().is_some_and(|summary| summary["equal"] == true);
    (!equal).then(|| format!("the import: {said}{}", String::from_utf8_lossy(&output.stderr)))
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().last().unwrap_or_default().to_owned()
}

/// Waits until all roles are ready; which one is not. That is a finding, and must not keep others from being found.
async fn unready(system: &Arc<System>) -> Option<String> {
    let system = Arc::clone(system);
    let waiting = tokio::spawn(async move { system.shop.roles_ready().await });
    waiting.await.err().map(|error| error.to_string())
}

/// Waits until process managers have done all that is due; what they have not.
pub(super) async fn finished(shop: &Shop) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let (taken_in, left) = (all_taken_in(shop).await.unwrap(), steps_left(shop).await.unwrap());
        if taken_in && left.is_empty() {
            return left;
        }
        if begun.elapsed() > FINISHED {
            let behind = (!taken_in).then(|| "the process managers have not taken in the log".to_owned());
            return left.into_iter().chain(behind).collect();
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What `jumun verify` finds broken, and the names of all that it looked at.
pub(super) async fn verify(shop: &Shop) -> (Vec<String>, Vec<String>) {
    let (code, text) = shop.run(&["verify", "--kafka", "--search", "--json"]).await;
    let line = text.lines().rfind(|line| line.starts_with('{'));
    let Some(said) = line.and_then(|line| serde_json::from_str::<Value>(line).ok()) else {
        return (vec![format!("jumun verify ended with {code}: {text}")], Vec::new());
    };
    let checks = said["checks"].as_array().unwrap();
    let name = |check: &Value| check["name"].as_str().unwrap().to_owned();
    let broken = checks.iter().filter(|check| check["ok"] != true);
    let broken = broken.map(|check| format!("{}: {}", name(check), check["detail"]));
    (broken.collect(), checks.iter().map(name).collect())
}

/// Takes it down; what it has said stays when something was wrong.
async fn close(system: Arc<System>, report: &Report) {
    let system = Arc::into_inner(system).unwrap();
    if report.violations.is_empty() {
        system.shop.close().await;
    } else {
        let kept = report.keep(&system.shop.data_dir);
        println!("kept: {}", kept.display());
    }
}
