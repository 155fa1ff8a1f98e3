//! The binary: every role of the platform is a subcommand, and `up` is all of them on one machine.

mod config;
mod data_dir;
mod demo;
mod import;
mod postgres;
mod roles;
mod running;
mod telemetry;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// Most of what a node does is many small pieces, made by one thread and given back by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An event-sourced order platform.
#[derive(Parser)]
#[command(name = "jumun", version, propagate_version = true)]
struct Jumun {
    #[command(flatten)]
    flags: config::Flags,
    #[command(subcommand)]
    role: roles::Role,
}

/// Calls of libraries that nobody can take back may go on for so long at the end. Those of Kafka's client wait by a clock that people set.
const LEFT_BEHIND: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("jumun: no threads can be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(run());
    runtime.shutdown_timeout(LEFT_BEHIND);
    code
}

async fn run() -> ExitCode {
    let Jumun { flags, role } = Jumun::parse();
    // One of several providers of cryptography could be compiled in; this is the one that is meant. An earlier choice stands.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match role.run(flags).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("jumun: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, each once: some errors repeat theirs in their own words.
fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !told.contains(&cause) {
            told += if told.is_empty() { "" } else { ": " };
            told += &cause;
        }
    }
    told
}
