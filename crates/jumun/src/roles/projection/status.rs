//! `jumun projection status`: how far the read models are.

use std::collections::HashMap;

use anyhow::{Context, Result};
use event_store::Position;
use projections::Progress;
use serde_json::{Value, json};
use sqlx::PgPool;

/// Shows where each read model is, how far behind the log, in how many of its lanes, and how many streams are parked.
pub(super) async fn show(read: &PgPool, log: &PgPool, as_json: bool) -> Result<()> {
    // Progress first: the head that is read after it cannot be behind it.
    let all = projections::progress(read).await?;
    let parked = parked(read).await?;
    let head: i64 = sqlx::query_scalar("SELECT position FROM log.head")
        .fetch_one(log)
        .await
        .context("the head of the log cannot be read")?;
    let head = Position::from(head);
    if as_json {
        let models: Vec<_> = all.iter().map(|one| described(one, head, count(&parked, one))).collect();
        println!("{}", json!({"head": head.0, "models": models}));
        return Ok(());
    }
    println!(
        "{:<14}{:>12}{:>10}{:>10}{:>8}{:>8}",
        "read model", "position", "lag", "lanes", "behind", "parked"
    );
    for one in &all {
        println!(
            "{:<14}{:>12}{:>10}{:>10}{:>8}{:>8}",
            one.name,
            one.position().0,
            lag(one.position(), head),
            lanes(one),
            behind(one, head),
            count(&parked, one)
        );
    }
    println!("{:<14}{:>12}", "the log", head.0);
    Ok(())
}

/// How many streams are parked, by read model.
async fn parked(read: &PgPool) -> Result<HashMap<String, usize>> {
    let mut counts = HashMap::new();
    for one in projections::parked(read).await? {
        *counts.entry(one.model).or_insert(0) += 1;
    }
    Ok(counts)
}

fn count(parked: &HashMap<String, usize>, one: &Progress) -> usize {
    parked.get(&one.name).copied().unwrap_or(0)
}

fn lag(position: Position, head: Position) -> u64 {
    head.0.saturating_sub(position.0)
}

/// `log`, or how many partitions it follows.
fn lanes(one: &Progress) -> String {
    if one.place(event_store::Lane::Log).is_some() { "log".to_owned() } else { one.lanes.len().to_string() }
}

/// In how many lanes it is not at the end of the log.
fn behind(one: &Progress, head: Position) -> usize {
    one.lanes.iter().filter(|(_, place)| place.position < head).count()
}

fn described(one: &Progress, head: Position, parked: usize) -> Value {
    let lanes: Vec<_> = one
        .lanes
        .iter()
        .map(|(lane, place)| {
            let position = place.position;
            json!({"lane": lane.to_string(), "position": position.0, "lag": lag(position, head)})
        })
        .collect();
    json!({
        "name": one.name, "position": one.position().0, "lag": lag(one.position(), head),
        "version": one.version, "lanes": lanes, "parked": parked,
    })
}
