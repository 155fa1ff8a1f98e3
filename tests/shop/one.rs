//! A shop on one machine: `jumun up`.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::Program;
use super::{Addresses, DEADLINE};

/// `jumun up` on a folder.
pub(super) struct One {
    run_json: PathBuf,
    up: Program,
}

impl One {
    pub(super) async fn start(data_dir: &Path, environment: Vec<(String, String)>) -> (Self, Addresses) {
        let mut arguments: Vec<String> =
            ["up", "--demo", "--command-listen", "127.0.0.1:0", "--query-listen", "127.0.0.1:0"]
                .map(str::to_owned)
                .into();
        arguments.extend(["--data-dir".to_owned(), data_dir.display().to_string()]);
        // SIGINT, so that the private PostgreSQL is stopped as well.
        let up = Program::start("up", arguments, environment, &data_dir.join("test.log"), "INT");
        let one = Self { run_json: data_dir.join("run.json"), up };
        let addresses = one.addresses().await;
        (one, addresses)
    }

    pub(super) async fn restart(&self) -> Addresses {
        let _ = std::fs::remove_file(&self.run_json);
        self.up.restart();
        self.addresses().await
    }

    pub(super) fn kill(&self) {
        self.up.kill();
    }

    pub(super) async fn interrupt(&self) -> ExitStatus {
        self.up.signal("INT");
        self.up.end().await
    }

    pub(super) fn tail(&self) -> String {
        self.up.tail()
    }

    /// As it writes them down once everything answers.
    async fn addresses(&self) -> Addresses {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.up.ended() {
                panic!("up ended with {status}: {}", self.up.tail());
            }
            let run: Option<Value> =
                std::fs::read(&self.run_json).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            if let Some(run) = run {
                let of = |name: &str| run[name].as_str().unwrap().to_owned();
                let (command_urls, query_urls) = (vec![of("command_url")], vec![of("query_url")]);
                return Addresses { command_urls, query_urls, database_url: of("database_url") };
            }
            assert!(begun.elapsed() < DEADLINE, "up is not ready: {}", self.up.tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
