//! The lead and the checkpoint, in PostgreSQL. Everything about time in it is by the database's clock.

use std::time::Duration;

use event_store::{Head, Position};
use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::place::{Layout, Place};

/// Who asks: this relay, for these topics.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) pool: PgPool,
    pub(crate) relay: Uuid,
    pub(crate) topics: String,
    pub(crate) lease: Duration,
}

/// What a relay finds that has just taken the lead.
#[derive(Debug, Clone)]
pub(crate) struct Lead {
    /// Older ones can move nothing any more.
    pub(crate) term: i64,
    /// The epoch that was published.
    pub(crate) epoch: Uuid,
    /// All up to here was acknowledged.
    pub(crate) position: Position,
    /// The log's own.
    pub(crate) log: Head,
    /// Of each partition: the last record that was acknowledged.
    pub(crate) places: Vec<Place>,
}

/// What came of moving the checkpoint.
#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct Moved {
    /// Whether it was: if not, this relay does not lead any more, or the log is another one.
    pub(crate) led: bool,
    epoch: Uuid,
    #[sqlx(try_from = "i64")]
    position: Position,
}

impl Moved {
    /// The log's own epoch, and its end.
    pub(crate) fn log(&self) -> Head {
        Head { epoch: self.epoch, position: self.position }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

impl Candidate {
    /// Takes the lead with a new term. `None`: another relay has it.
    pub(crate) async fn take(&self, layout: &Layout) -> Result<Option<Lead>, sqlx::Error> {
        const FIRST: &str = "INSERT INTO relay.checkpoints (topics, epoch) SELECT $1, epoch FROM log.head
                             ON CONFLICT DO NOTHING";
        const TAKE: &str = "UPDATE relay.checkpoints
               SET term = term + 1, leader = $2, leads_until = clock_timestamp() + $3 * interval '1 millisecond'
             WHERE topics = $1 AND (leader IS NULL OR leader = $2 OR leads_until < clock_timestamp())
         RETURNING term, epoch, position, (SELECT epoch FROM log.head), (SELECT position FROM log.head)";
        sqlx::query(FIRST).bind(&self.topics).execute(&self.pool).await?;
        let taken: Option<(i64, Uuid, i64, Uuid, i64)> = sqlx::query_as(TAKE)
            .bind(&self.topics)
            .bind(self.relay)
            .bind(milliseconds(self.lease))
            .fetch_optional(&self.pool)
            .await?;
        let Some((term, epoch, position, log_epoch, head)) = taken else { return Ok(None) };
        let (position, log) = (position.into(), Head { epoch: log_epoch, position: head.into() });
        Ok(Some(Lead { term, epoch, position, log, places: self.places(layout).await? }))
    }

    async fn places(&self, layout: &Layout) -> Result<Vec<Place>, sqlx::Error> {
        const PLACES: &str =
            "SELECT lane, last_event, through, last_offset FROM relay.partitions WHERE topics = $1";
        let rows: Vec<(String, i64, i64, i64)> =
            sqlx::query_as(PLACES).bind(&self.topics).fetch_all(&self.pool).await?;
        let mut places = vec![Place::default(); layout.len()];
        for (lane, last_event, through, offset) in rows {
            // Lanes of another number of partitions are of topics that are not these.
            if let Some(index) = lane.parse().ok().and_then(|lane| layout.index_of(lane)) {
                places[index] =
                    Place { last_event: last_event.into(), through: through.into(), offset: Some(offset) };
            }
        }
        Ok(places)
    }

    /// Moves the checkpoint and keeps the lead, in one statement: both, or neither.
    pub(crate) async fn move_to(
        &self,
        term: i64,
        position: Position,
        changed: &[(String, Place)],
    ) -> Result<Moved, sqlx::Error> {
        const MOVE: &str = "WITH led AS (
                UPDATE relay.checkpoints c
                   SET position = $4, leads_until = clock_timestamp() + $5 * interval '1 millisecond'
                  FROM log.head h
                 WHERE c.topics = $1 AND c.leader = $2 AND c.term = $3 AND c.epoch = h.epoch
             RETURNING true
             ), written AS (
                INSERT INTO relay.partitions (topics, lane, last_event, through, last_offset)
                SELECT $1, n.* FROM unnest($6::text[], $7::bigint[], $8::bigint[], $9::bigint[]) n
                 WHERE EXISTS (SELECT FROM led)
                    ON CONFLICT (topics, lane) DO UPDATE
                   SET last_event = excluded.last_event, through = excluded.through, last_offset = excluded.last_offset
             )
             SELECT EXISTS (SELECT FROM led) AS led, epoch, position FROM log.head";
        let column = |of: fn(&Place) -> i64| changed.iter().map(|(_, place)| of(place)).collect::<Vec<_>>();
        sqlx::query_as(MOVE)
            .bind(&self.topics)
            .bind(self.relay)
            .bind(term)
            .bind(i64::from(position))
            .bind(milliseconds(self.lease))
            .bind(changed.iter().map(|(lane, _)| lane.as_str()).collect::<Vec<_>>())
            .bind(column(|place| place.last_event.into()))
            .bind(column(|place| place.through.into()))
            .bind(column(|place| place.offset.unwrap_or_default()))
            .fetch_one(&self.pool)
            .await
    }

    /// Gives the lead up, so that another relay need not wait for the lease.
    pub(crate) async fn release(&self, term: i64) -> Result<(), sqlx::Error> {
        const RELEASE: &str = "UPDATE relay.checkpoints SET leader = NULL, leads_until = NULL
                                WHERE topics = $1 AND leader = $2 AND term = $3";
        sqlx::query(RELEASE).bind(&self.topics).bind(self.relay).bind(term).execute(&self.pool).await?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
