//! One table compared with its fresh fold, whole rows by their primary keys.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::finding::{Finding, NAMED};
use crate::Error;

const KEY: &str = "SELECT quote_ident(a.attname) FROM pg_index i \
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
     WHERE i.indisprimary AND i.indrelid = to_regclass($1) ORDER BY array_position(i.indkey::int2[], a.attnum)";

/// A row that differs, one of so many: its key, and both as they are. Values may be personal and are never shown.
type Differing = (i64, String, Option<Value>, Option<Value>);

/// Compares. Answers how many rows there are.
pub(super) async fn compare(
    connection: &mut PgConnection,
    table: &str,
    finding: &mut Finding,
) -> Result<u64, Error> {
    let key = key_of(connection, table).await?;
    if key.is_empty() {
        finding.found(|| format!("{table} has no primary key to compare by"));
        return Ok(0);
    }
    let columns = key.join(", ");
    let text = key.iter().map(|column| format!("{column}::text")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT count(*) OVER (), concat_ws('/', {text}), to_jsonb(live), to_jsonb(fresh) \
           FROM read.{table} live FULL JOIN pg_temp.{table} fresh USING ({columns}) \
          WHERE to_jsonb(live) IS DISTINCT FROM to_jsonb(fresh) ORDER BY {columns} LIMIT {NAMED}"
    );
    let differing: Vec<Differing> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *connection).await?;
    let count = differing.first().map_or(0, |(count, ..)| count.unsigned_abs());
    let named = differing
        .iter()
        .map(|(_, key, live, fresh)| format!("{table} {key} {}", difference(live.as_ref(), fresh.as_ref())));
    finding.found_many(count, named);
    let sql = format!("SELECT count(*) FROM read.{table}");
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

/// The columns of a table's primary key; none: it has no such key.
pub(crate) async fn key_of(connection: &mut PgConnection, table: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(KEY).bind(format!("read.{table}")).fetch_all(connection).await
}

/// How the two differ: by the names of their columns.
pub(crate) fn difference(live: Option<&Value>, fresh: Option<&Value>) -> String {
    let (Some(live), Some(fresh)) = (live, fresh) else {
        return if live.is_none() { "is missing".to_owned() } else { "should not be there".to_owned() };
    };
    let names: Vec<&str> = live
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| fresh.get(name.as_str()) != Some(value))
        .map(|(name, _)| name.as_str())
        .collect();
    format!("differs in {}", names.join(", "))
}
