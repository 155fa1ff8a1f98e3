//! Reading the log in order.

use std::collections::HashMap;
use std::time::Duration;

use domain::{Category, StreamId};
use uuid::Uuid;

use crate::row::{Row, columns};
use crate::{Error, EventStore, Position, Raw, Received, Recorded};

/// Which events. The default is all of them.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of these categories only; empty: of all.
    pub categories: Vec<Category>,
    /// Of these types only; empty: of all.
    pub types: Vec<String>,
    /// Of this stream only.
    pub stream: Option<StreamId>,
    /// Up to this position only.
    pub until: Option<Position>,
}

/// By position there is an index; what a filter picks out from there on is looked for one by one, and may be far away.
const SCAN_MAX: Duration = Duration::from_secs(120);

const ALL: &str =
    concat!("SELECT ", columns!(), " FROM log.events e WHERE e.position > $1 ORDER BY e.position LIMIT $2");

const FILTERED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM log.events e WHERE e.position > $1 AND e.position <= $3
        AND (cardinality($4::text[]) = 0 OR split_part(e.stream, '-', 1) = ANY ($4))
        AND (cardinality($5::text[]) = 0 OR e.type = ANY ($5))
      ORDER BY e.position LIMIT $2"
);

const STREAM: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM log.events e WHERE e.stream = $4 COLLATE \"C\" AND e.position > $1 AND e.position <= $3
        AND (cardinality($5::text[]) = 0 OR e.type = ANY ($5))
      ORDER BY e.version LIMIT $2"
);

impl EventStore {
    async fn rows(&self, after: Position, limit: u32, filter: &Filter) -> Result<Vec<Row>, sqlx::Error> {
        let (after, limit) = (i64::from(after), i64::from(limit));
        let until = filter.until.map_or(i64::MAX, i64::from);
        if let Some(stream) = &filter.stream {
            let fits = filter.categories.is_empty() || filter.categories.contains(&stream.category());
            let limit = if fits { limit } else { 0 };
            let query = sqlx::query_as(STREAM)
                .bind(after)
                .bind(limit)
                .bind(until)
                .bind(stream.as_str())
                .bind(&filter.types);
            return query.fetch_all(&self.pool).await;
        }
        if filter.categories.is_empty() && filter.types.is_empty() && filter.until.is_none() {
            return sqlx::query_as(ALL).bind(after).bind(limit).fetch_all(&self.pool).await;
        }
        let categories: Vec<_> = filter.categories.iter().map(|category| category.name()).collect();
        sqlx::query_as(FILTERED)
            .bind(after)
            .bind(limit)
            .bind(until)
            .bind(categories)
            .bind(&filter.types)
            .fetch_all(&self.pool.with_answer_max(SCAN_MAX))
            .await
    }

    /// Up to `limit` events after a position, in order.
    pub async fn read(&self, after: Position, limit: u32, filter: &Filter) -> Result<Vec<Recorded>, Error> {
        let rows = self.rows(after, limit, filter).await?;
        self.decode(rows).await
    }

    /// The same, each for itself: one that cannot be read holds up no other.
    pub async fn read_each(
        &self,
        after: Position,
        limit: u32,
        filter: &Filter,
    ) -> Result<Vec<Received>, Error> {
        let raws = self.read_raw(after, limit, filter).await?;
        self.open_each(raws).await
    }

    /// The same, as they are stored: personal data stays sealed.
    pub async fn read_raw(&self, after: Position, limit: u32, filter: &Filter) -> Result<Vec<Raw>, Error> {
        self.rows(after, limit, filter).await?.into_iter().map(Row::raw).collect()
    }

    /// The ids of the events at these positions; those that the log does not have are left out.
    pub async fn ids_at(&self, positions: &[Position]) -> Result<HashMap<Position, Uuid>, Error> {
        const SQL: &str = "SELECT position, event_id FROM log.events WHERE position = ANY ($1)";
        let positions: Vec<_> = positions.iter().map(|position| i64::from(*position)).collect();
        let rows: Vec<(i64, Uuid)> = sqlx::query_as(SQL).bind(positions).fetch_all(&self.pool).await?;
        Ok(rows.into_iter().map(|(position, id)| (position.into(), id)).collect())
    }

    /// All events of a stream after a version.
    pub async fn read_stream(&self, stream: &StreamId, after_version: u32) -> Result<Vec<Recorded>, Error> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM log.events e WHERE e.stream = $1 COLLATE \"C\" AND e.version > $2 ORDER BY e.version"
        );
        let rows = sqlx::query_as(SQL)
            .bind(stream.as_str())
            .bind(after_version as i32)
            .fetch_all(&self.pool)
            .await?;
        self.decode(rows).await
    }
}
