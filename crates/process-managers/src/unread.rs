//! Events that this program cannot read, as those of a newer one: they hold up nothing but what would follow from them. They are written
//! down before the log is taken in past them, and read again until somebody can: what follows from an event does not depend on those
//! after it, so late is as good as in time.

use event_store::{EventStore, Filter, Patient, Position, Recorded, Unreadable};
use uuid::Uuid;

/// Events read again with one look, at most.
const AT_ONCE: i64 = 100;

/// Writes them down. Whoever has lost the lead meanwhile does no harm by it.
pub(crate) async fn write_down(pool: &Patient, unread: &[Unreadable]) -> Result<(), sqlx::Error> {
    for event in unread {
        tracing::error!(
            position = %event.position, stream = %event.stream, kind = event.type_name, error = event.error,
            "an event cannot be read: what should follow from it waits for a program that can"
        );
    }
    sqlx::query(
        "INSERT INTO process.unread (position, event_id, stream, type, error)
         SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[])
             ON CONFLICT (position) DO UPDATE
            SET event_id = excluded.event_id, stream = excluded.stream, type = excluded.type, error = excluded.error",
    )
    .bind(unread.iter().map(|event| i64::from(event.position)).collect::<Vec<_>>())
    .bind(unread.iter().map(|event| event.event_id).collect::<Vec<_>>())
    .bind(unread.iter().map(|event| event.stream.as_str()).collect::<Vec<_>>())
    .bind(unread.iter().map(|event| event.type_name.as_str()).collect::<Vec<_>>())
    .bind(unread.iter().map(|event| event.error.as_str()).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}

/// What has come of reading them again.
#[derive(Debug, Default)]
pub(crate) struct Again {
    /// Those that can be read now.
    pub(crate) events: Vec<Recorded>,
    /// They, and those that the log does not have any more: a failover has lost them.
    pub(crate) settled: Vec<Position>,
    /// Where the next look goes on. `None`: all were read.
    pub(crate) next: Option<Position>,
}

/// Reads those after a position again.
pub(crate) async fn read_again(
    pool: &Patient,
    store: &EventStore,
    after: Position,
) -> Result<Again, event_store::Error> {
    const UNREAD: &str =
        "SELECT position, event_id, (SELECT count(*) FROM process.unread) FROM process.unread WHERE position > $1
          ORDER BY position LIMIT $2";
    let unread: Vec<(i64, Uuid, i64)> =
        sqlx::query_as(UNREAD).bind(i64::from(after)).bind(AT_ONCE).fetch_all(pool).await?;
    if !unread.is_empty() || after.0 == 0 {
        metrics::gauge!("process_unread_events").set(unread.first().map_or(0, |(.., all)| *all) as f64);
    }
    let more = unread.len() as i64 == AT_ONCE;
    let next = unread.last().filter(|_| more).map(|(last, ..)| Position::from(*last));
    let mut again = Again { next, ..Again::default() };
    for (position, event_id, _) in unread {
        let position = Position::from(position);
        let before = Position(position.0.saturating_sub(1));
        let found = store.read_each(before, 1, &Filter::default()).await?.into_iter().next();
        match found {
            Some(Ok(recorded)) if recorded.event_id == event_id => again.events.push(recorded),
            Some(Err(unreadable)) if unreadable.event_id == event_id => continue,
            Some(_) | None => {
                tracing::warn!(%position, "an event that could not be read is not in the log any more")
            }
        }
        again.settled.push(position);
    }
    Ok(again)
}

/// What follows from these is written down, or nothing ever will.
pub(crate) async fn forget(pool: &Patient, settled: &[Position]) -> Result<(), sqlx::Error> {
    let positions: Vec<_> = settled.iter().map(|position| i64::from(*position)).collect();
    sqlx::query("DELETE FROM process.unread WHERE position = ANY ($1)").bind(positions).execute(pool).await?;
    Ok(())
}
