//! `jumun projection parked` and `retry`: what read models cannot go on with.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use domain::StreamId;
use event_store::EventStore;
use projections::Retried;
use serde_json::json;
use sqlx::PgPool;

use super::search;

/// What to go on with.
#[derive(clap::Args)]
pub(super) struct Retry {
    /// The read model, or `search`
    name: String,
    /// One stream of it, as `parked` shows it; otherwise all
    stream: Option<String>,
}

/// Shows what is parked.
pub(super) async fn show(read: &PgPool, as_json: bool) -> Result<()> {
    let (all, documents) = (projections::parked(read).await?, search::parked(read).await?);
    if as_json {
        let rows = all.iter().map(|one| json!(one)).chain(documents.iter().map(search::as_row));
        println!("{}", json!(rows.collect::<Vec<_>>()));
        return Ok(());
    }
    if all.is_empty() && documents.is_empty() {
        println!("nothing is parked");
        return Ok(());
    }
    let streams = all.iter().map(|one| one.stream.len());
    let width =
        streams.chain(documents.iter().map(|one| search::stream(one).len())).max().unwrap_or(0).max(6);
    println!(
        "{:<14}{:<width$}{:>12}{:>7}  {:<20}  error",
        "read model", "stream", "position", "tries", "since"
    );
    for one in all {
        let since = one.parked_at.format("%Y-%m-%d %H:%M:%SZ");
        println!(
            "{:<14}{:<width$}{:>12}{:>7}  {since:<20}  {}: {}",
            one.model, one.stream, one.position, one.tries, one.type_name, one.error
        );
    }
    for one in &documents {
        let (name, stream) = (search::NAME, search::stream(one));
        let since = one.parked_at.format("%Y-%m-%d %H:%M:%SZ");
        println!("{name:<14}{stream:<width$}{:>12}{:>7}  {since:<20}  {}", "", "", one.error);
    }
    Ok(())
}

impl Retry {
    /// Goes on. The exit status is 1 when something stays parked.
    pub(super) async fn run(self, read: &PgPool, store: &EventStore, as_json: bool) -> Result<ExitCode> {
        if self.name == search::NAME {
            return search::retry(read, self.stream.as_deref(), as_json).await;
        }
        let stream = self.stream.as_deref().map(|name| {
            StreamId::parse(name)
                .with_context(|| format!("{name:?} is not a stream: `jumun projection parked` shows them"))
        });
        let stream = stream.transpose()?;
        let all = projections::retry(read, store, &self.name, stream.as_ref()).await?;
        if let (Some(stream), true) = (&stream, all.is_empty()) {
            bail!("{stream} is not parked for {}", self.name);
        }
        if as_json {
            println!("{}", json!(all));
        } else {
            print(&all);
        }
        let stays = all.iter().any(|one| !one.taken);
        Ok(if stays { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn print(all: &[Retried]) {
    if all.is_empty() {
        println!("nothing is parked");
    }
    for Retried { stream, position, error, .. } in all {
        match (position, error) {
            (Some(position), Some(error)) => {
                println!("{stream} stays parked at position {position}: {error}")
            }
            _ => println!("{stream} goes on"),
        }
    }
}
