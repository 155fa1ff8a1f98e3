//! The binary as a process: started, killed, started again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::DEADLINE;

/// The binary that `cargo build -p jumun` has put beside the test's own.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("JUMUN_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(2).unwrap().join("jumun");
    assert!(
        path.exists(),
        "{} is not there: run `cargo build -p jumun` first (script/test does)",
        path.display()
    );
    path
}

/// The binary with that configuration and no other: what whoever runs the tests has configured is not meant.
pub(super) fn configured(environment: &[(String, String)]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("JUMUN_")) {
        command.env_remove(name);
    }
    command.envs(environment.iter().map(|(key, value)| (key, value)));
    command
}

/// A role that runs.
pub(super) struct Program {
    pub(super) name: &'static str,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    /// What ends it when a test has failed.
    last_signal: &'static str,
    child: Mutex<Child>,
}

impl Program {
    /// Starts it. What it says goes to the end of `log`.
    pub(super) fn start(
        name: &'static str,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        log: &Path,
        last_signal: &'static str,
    ) -> Self {
        let child = Mutex::new(spawn(&arguments, &environment, log));
        Self { name, arguments, environment, log: log.to_owned(), last_signal, child }
    }

    /// Starts it again, after it has ended.
    pub(super) fn restart(&self) {
        assert!(self.ended().is_some(), "{} runs", self.name);
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) =
            spawn(&self.arguments, &self.environment, &self.log);
    }

    pub(super) fn ended(&self) -> Option<ExitStatus> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait().unwrap()
    }

    pub(super) fn signal(&self, signal: &str) {
        let pid = self.child.lock().unwrap_or_else(PoisonError::into_inner).id().to_string();
        if self.ended().is_none() {
            assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
        }
    }

    /// kill -9; when this returns, it is gone.
    pub(super) fn kill(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// Waits for its end.
    pub(super) async fn end(&self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(begun.elapsed() < DEADLINE, "{} does not stop: {}", self.name, self.tail());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The end of what it said.
    pub(super) fn tail(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let mut lines: Vec<_> = log.lines().rev().take(30).collect();
        lines.reverse();
        lines.join("\n")
    }
}

fn spawn(arguments: &[String], environment: &[(String, String)], log: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    configured(environment)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Drop for Program {
    /// A failed test leaves no server behind.
    fn drop(&mut self) {
        self.signal(self.last_signal);
    }
}
