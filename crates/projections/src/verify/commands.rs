//! Commands: each one once, and its events where its answer says.

use event_store::{EventStore, Position};
use uuid::Uuid;

use super::Check;
use super::finding::{Finding, NAMED, counted};
use crate::Error;

/// Events that are not within the positions of their command, or whose command is not there.
const STRAY: &str = "SELECT count(*) OVER (), e.position, e.command_id FROM log.events e \
     LEFT JOIN log.commands c ON c.command_id = e.command_id AND c.scope = e.scope \
     WHERE e.position <= $1 AND (c.first_position IS NULL OR e.position NOT BETWEEN c.first_position AND c.last_position) \
     ORDER BY e.position LIMIT $2";

/// Commands whose positions hold anything but their own events.
const HOLLOW: &str = "SELECT count(*) OVER (), c.command_id, c.first_position, c.last_position FROM log.commands c \
     WHERE c.last_position <= $1 AND c.first_position IS NOT NULL AND c.last_position - c.first_position + 1 <> \
       (SELECT count(*) FROM log.events e WHERE e.position BETWEEN c.first_position AND c.last_position \
           AND e.command_id = c.command_id AND e.scope = c.scope) \
     ORDER BY c.first_position LIMIT $2";

/// Commands up to a position, those without events included.
const COUNT: &str = "SELECT count(*) FROM log.commands WHERE coalesce(last_position, 0) <= $1";

pub(super) async fn check(store: &EventStore, head: Position) -> Result<Check, Error> {
    let (bound, named, log) = (i64::from(head), NAMED as i64, store.pool());
    let mut finding = Finding::default();
    let stray: Vec<(i64, i64, Uuid)> = sqlx::query_as(STRAY).bind(bound).bind(named).fetch_all(log).await?;
    let count = stray.first().map_or(0, |(count, ..)| count.unsigned_abs());
    let names =
        stray.iter().map(|(_, at, command)| format!("position {at} is not one of its command {command}"));
    finding.found_many(count, names);
    let hollow: Vec<(i64, Uuid, i64, i64)> =
        sqlx::query_as(HOLLOW).bind(bound).bind(named).fetch_all(log).await?;
    let count = hollow.first().map_or(0, |(count, ..)| count.unsigned_abs());
    let names = hollow.iter().map(|(_, command, first, last)| {
        format!("command {command} has not all of the positions {first} to {last}")
    });
    finding.found_many(count, names);
    let commands: i64 = sqlx::query_scalar(COUNT).bind(bound).fetch_one(log).await?;
    Ok(finding.check("every command has its events, once", counted(commands.unsigned_abs(), "command")))
}
