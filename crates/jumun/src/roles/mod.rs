//! The roles, a file each.

mod address;
mod command_api;
mod demo;
mod migrate;
mod node;
mod probes;
mod process_manager;
mod projection;
mod projector;
mod query_api;
mod recover;
mod relay;
mod sandbox_gateway;
mod searching;
mod serving;
mod staff;
mod supervisor;
mod up;
mod verify;

use std::process::ExitCode;

use anyhow::Result;

use crate::config::{Configuration, Flags};
use crate::{import, telemetry};

/// What the binary can be.
#[derive(clap::Subcommand)]
pub(crate) enum Role {
    /// All roles in one process, with a private PostgreSQL of its own
    Up(up::Arguments),
    /// Takes commands over HTTP
    CommandApi(command_api::Arguments),
    /// Serves queries over HTTP
    QueryApi(query_api::Arguments),
    /// Folds events into the read models
    Projector(projector::Arguments),
    /// Publishes the log to Kafka
    Relay(relay::Arguments),
    /// Does what must happen next: payment, capture, release
    ProcessManager(process_manager::Arguments),
    /// A payment gateway that moves no money
    SandboxGateway(sandbox_gateway::Arguments),
    /// Brings the database to this program's version
    Migrate,
    /// Loads a small catalogue, and people to sign in as
    Demo(demo::Arguments),
    /// Shows the read models, and builds them anew
    Projection(projection::Arguments),
    /// Brings data in
    #[command(subcommand)]
    Import(Import),
    /// Goes on after the log was restored, or failed over with loss
    Recover(recover::Arguments),
    /// Checks the promises on a live database
    Verify(verify::Arguments),
    /// Looks after the people who run the shop
    #[command(subcommand)]
    Staff(staff::Arguments),
}

/// What can be brought in.
#[derive(clap::Subcommand)]
pub(crate) enum Import {
    /// Plays invoices through the public command API, as a client would
    Invoices(import::Arguments),
}

impl Role {
    /// Runs it to its end.
    pub(crate) async fn run(self, flags: Flags) -> Result<ExitCode> {
        match self {
            Self::Up(arguments) => up::run(arguments, flags).await,
            Self::CommandApi(arguments) => command_api::run(arguments, flags).await,
            Self::QueryApi(arguments) => query_api::run(arguments, flags).await,
            Self::Projector(arguments) => projector::run(arguments, flags).await,
            Self::Relay(arguments) => relay::run(arguments, flags).await,
            Self::ProcessManager(arguments) => process_manager::run(arguments, flags).await,
            Self::SandboxGateway(arguments) => sandbox_gateway::run(arguments, flags).await,
            Self::Migrate => migrate::run(flags).await,
            Self::Demo(arguments) => demo::run(arguments, flags).await,
            Self::Projection(arguments) => projection::run(arguments, flags).await,
            Self::Import(Import::Invoices(arguments)) => {
                telemetry::log_tool(&Configuration::load(&flags)?)?;
                import::run(arguments).await
            }
            Self::Recover(arguments) => recover::run(arguments, flags).await,
            Self::Verify(arguments) => verify::run(arguments, flags).await,
            Self::Staff(arguments) => staff::run(arguments, flags).await,
        }
    }
}
