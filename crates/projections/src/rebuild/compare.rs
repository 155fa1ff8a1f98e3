//! The new rows against the running ones: checksums first, and where they differ, the rows.

use std::cmp::Ordering;

use futures::TryStreamExt;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::shape::quoted;
use crate::schema::SCHEMA;
use crate::verify::rows::{difference, key_of};

/// So many rows are named.
const NAMED_MAX: usize = 20;

/// Rows that differ. They are named by their keys and columns; values may be personal and are never shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// How many rows differ.
    pub count: u64,
    /// The first of them: table, key, and how they differ.
    pub named: Vec<String>,
}

/// A row: its key as text, and the hash of all of it.
type Hashed = (String, i64);

/// Two sides of one table.
pub(super) struct Sides<'a> {
    /// The running rows, as they were at one moment.
    pub(super) running: &'a mut PgConnection,
    /// The new ones.
    pub(super) fresh: &'a mut PgConnection,
    pub(super) schema: &'a str,
}

impl Sides<'_> {
    /// Compares these tables.
    pub(super) async fn compare(mut self, tables: &[&str]) -> Result<Differences, sqlx::Error> {
        let mut differences = Differences::default();
        for table in tables {
            let (running, fresh) = (named(SCHEMA, table), named(self.schema, table));
            let hash = hash(&mut *self.fresh, &fresh).await?;
            let sums = tokio::try_join!(
                checksum(&mut *self.running, &running, hash),
                checksum(&mut *self.fresh, &fresh, hash)
            )?;
            if sums.0 != sums.1 {
                self.find(table, &mut differences).await?;
            }
        }
        Ok(differences)
    }

    /// Finds the rows of a table that differ.
    async fn find(&mut self, table: &str, differences: &mut Differences) -> Result<(), sqlx::Error> {
        let key = key_of(self.running, table).await?;
        if key.is_empty() {
            differences.count += 1;
            differences.named.push(format!("{table} differs, and has no primary key to name its rows by"));
            return Ok(());
        }
        let key = key.iter().map(|column| format!("{column}::text")).collect::<Vec<_>>().join(", ");
        let key = format!("concat_ws('/', {key})");
        let keys = self.differing(table, &key).await?;
        differences.count += keys.len() as u64;
        let free = NAMED_MAX.saturating_sub(differences.named.len());
        for one in keys.into_iter().take(free) {
            let running = row(self.running, &named(SCHEMA, table), &key, &one).await?;
            let fresh = row(self.fresh, &named(self.schema, table), &key, &one).await?;
            let how = match (&running, &fresh) {
                (None, _) => "is only in the new rows".to_owned(),
                (_, None) => "is only in the running rows".to_owned(),
                _ => difference(running.as_ref(), fresh.as_ref()),
            };
            differences.named.push(format!("{table} {one} {how}"));
        }
        Ok(())
    }

    /// The keys of the rows that differ: both sides are walked in the order of their keys.
    async fn differing(&mut self, table: &str, key: &str) -> Result<Vec<String>, sqlx::Error> {
        let sql = |schema| {
            format!(
                "SELECT {key}, hashtextextended(to_jsonb(t)::text, 0) FROM {} t ORDER BY {key} COLLATE \"C\"",
                named(schema, table)
            )
        };
        let mut running = sqlx::query_as::<_, Hashed>(AssertSqlSafe(sql(SCHEMA))).fetch(&mut *self.running);
        let mut fresh = sqlx::query_as::<_, Hashed>(AssertSqlSafe(sql(self.schema))).fetch(&mut *self.fresh);
        let (mut left, mut right) = (running.try_next().await?, fresh.try_next().await?);
        let mut keys = Vec::new();
        loop {
            let order = match (&left, &right) {
                (None, None) => return Ok(keys),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.0.cmp(&right.0),
            };
            let same = order == Ordering::Equal && left == right;
            let behind = if order == Ordering::Greater { &right } else { &left };
            if let (false, Some((key, _))) = (same, behind) {
                keys.push(key.clone());
            }
            if order != Ordering::Greater {
                left = running.try_next().await?;
            }
            if order != Ordering::Less {
                right = fresh.try_next().await?;
            }
        }
    }
}

fn named(schema: &str, table: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(table))
}

/// How many rows there are, and the sum of their hashes: the same in whatever order they are.
async fn checksum(
    connection: &mut PgConnection,
    table: &str,
    hash: &str,
) -> Result<(i64, String), sqlx::Error> {
    let sql = format!("SELECT count(*), coalesce(sum({hash}::numeric), 0)::text FROM {table} t");
    sqlx::query_as(AssertSqlSafe(sql)).fetch_one(connection).await
}

/// How a row of a table is hashed: as it is, when every column can be; else as text, which costs several times as much.
async fn hash(connection: &mut PgConnection, table: &str) -> Result<&'static str, sqlx::Error> {
    let sql = "SELECT bool_and(EXISTS (SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod AND m.amname = 'hash' \
               WHERE o.opcintype = a.atttypid AND o.opcdefault)) \
               FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped";
    let every: Option<bool> = sqlx::query_scalar(sql).bind(table).fetch_one(connection).await?;
    Ok(if every == Some(true) {
        "hash_record_extended(t, 0)"
    } else {
        "hashtextextended(to_jsonb(t)::text, 0)"
    })
}

async fn row(
    connection: &mut PgConnection,
    table: &str,
    key: &str,
    value: &str,
) -> Result<Option<Value>, sqlx::Error> {
    let sql = format!("SELECT to_jsonb(t) FROM {table} t WHERE {key} = $1");
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(value).fetch_optional(connection).await
}
