//! What `--demo` loads: a small catalogue, and people. Loaded through the engine, each command under a name of its own, so that
//! a second start says the same again and changes nothing.

mod catalogue;
mod items;
mod people;

use anyhow::{Context, Result};
use command_api::accounts::Accounts;
use command_api::engine::{Engine, Submission};
use domain::Command;
use event_store::EventStore;
use futures::future::try_join_all;

pub(crate) use self::people::People;
use crate::data_dir::DataDir;

/// As whom it is recorded.
const SYSTEM: &str = "demo";

/// Loads it.
pub(crate) async fn load(
    engine: &Engine,
    store: &EventStore,
    accounts: &Accounts,
    data: &DataDir,
) -> Result<People> {
    // In order: a product can be published once it is there. Within a step all go at once, as one batch.
    for step in catalogue::steps().context("the demo's catalogue")? {
        try_join_all(step.into_iter().map(|(name, command)| say(engine, name, command))).await?;
    }
    people::load(engine, store, accounts, data).await
}

/// Gives the engine a command under that name.
async fn say(engine: &Engine, name: String, command: Command) -> Result<()> {
    let submission = Submission::internal(command, &format!("demo {name}"), SYSTEM, None);
    engine.execute(submission).await.with_context(|| format!("the demo's command {name:?}"))?;
    Ok(())
}
