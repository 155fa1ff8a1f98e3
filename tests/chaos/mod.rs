//! Mixed traffic against a scaled-out system to which a seed does what can go wrong; afterwards what clients were told, the log, the
//! gateway's ledger, read models, Kafka and search are held against one another. `script/chaos` runs it for longer.

mod checker;
mod client;
mod damage;
mod evidence;
mod history;
mod injector;
mod members;
mod plan;
pub(crate) mod proxy;
mod proxy_tests;
mod random;
mod report;
mod run;
pub(crate) mod system;
mod traffic;

use std::time::Duration;

use crate::shop::scaled;

/// What runs when nobody says anything else.
const SEED: u64 = 20_261_124;
const SECONDS: u64 = 60;

fn setting(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text}")),
        Err(_) => otherwise,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_nothing_is_lost_doubled_or_made_up() {
    if !scaled() {
        println!("only for a shop that is scaled out");
        return;
    }
    let length = Duration::from_secs(setting("JUMUN_CHAOS_SECONDS", SECONDS));
    let report = run::run(setting("JUMUN_CHAOS_SEED", SEED), length).await;
    println!("{report}");
    if let Some(path) = std::env::var_os("JUMUN_CHAOS_RESULT") {
        std::fs::write(path, report.json().to_string()).unwrap();
    }
    assert!(report.violations.is_empty(), "see above");
}
