//! How far each read model has come in each of its lanes: a row each, written in the transaction that wrote its rows.

use event_store::{Lane, Place, Position};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{Error, ReadModel, Reads};

/// How far a read model has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The read model.
    pub name: String,
    /// The log it was folded over.
    pub epoch: Uuid,
    /// The shape of its rows.
    pub version: i32,
    /// Where it is in each of its lanes, at least one: `log`, or all partitions of its topics.
    pub lanes: Vec<(Lane, Place)>,
}

impl Progress {
    /// All events of the log up to here that concern the model are in its rows, or parked: the least of its lanes.
    pub fn position(&self) -> Position {
        self.lanes.iter().map(|(_, place)| place.position).min().unwrap_or_default()
    }

    /// Where it is in a lane. `None`: it does not follow that one.
    pub fn place(&self, lane: Lane) -> Option<Place> {
        self.lanes.iter().find(|(own, _)| *own == lane).map(|(_, place)| *place)
    }
}

/// One row: model, lane, epoch, position, where the feed goes on, version.
type Row = (String, String, Uuid, i64, Option<i64>, i32);

/// Where a model is in a lane now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step<'a> {
    pub(crate) model: &'a str,
    pub(crate) lane: Lane,
    pub(crate) place: Place,
}

/// How far the read models have come, by name.
pub async fn progress(read: impl Reads<'_>) -> Result<Vec<Progress>, Error> {
    load(read).await
}

/// The same, as this connection sees it.
pub(crate) async fn load(connection: impl PgExecutor<'_>) -> Result<Vec<Progress>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT model, lane, epoch, position, next_offset, version FROM read.progress ORDER BY model, lane",
    )
    .fetch_all(connection)
    .await?;
    gathered(rows)
}

/// Begins models that nobody has folded yet, at the beginning of the log.
pub(crate) async fn begin(
    connection: impl PgExecutor<'_>,
    models: &[Box<dyn ReadModel>],
    epoch: Uuid,
) -> Result<(), sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<i32>) =
        models.iter().map(|model| (model.name(), model.version())).unzip();
    sqlx::query(
        "INSERT INTO read.progress (model, lane, epoch, position, version) \
         SELECT model, 'log', $3, 0, version FROM unnest($1::text[], $2::int[]) m (model, version) \
          WHERE NOT EXISTS (SELECT FROM read.progress p WHERE p.model = m.model) ON CONFLICT DO NOTHING",
    )
    .bind(names)
    .bind(versions)
    .bind(epoch)
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks the progress of these models in all their lanes until the end of the transaction, and says how far they are now.
/// Always in one order, so that two projectors wait for each other and never for ever.
pub(crate) async fn lock(connection: &mut PgConnection, names: &[&str]) -> Result<Vec<Progress>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT model, lane, epoch, position, next_offset, version FROM read.progress \
         WHERE model = ANY ($1) ORDER BY model, lane FOR UPDATE",
    )
    .bind(names)
    .fetch_all(connection)
    .await?;
    gathered(rows)
}

/// The same, in these lanes only.
pub(crate) async fn lock_lanes(
    connection: &mut PgConnection,
    names: &[&str],
    lanes: &[Lane],
) -> Result<Vec<Progress>, Error> {
    let lanes: Vec<String> = lanes.iter().map(Lane::to_string).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT model, lane, epoch, position, next_offset, version FROM read.progress \
         WHERE model = ANY ($1) AND lane = ANY ($2) ORDER BY model, lane FOR UPDATE",
    )
    .bind(names)
    .bind(lanes)
    .fetch_all(connection)
    .await?;
    gathered(rows)
}

/// Writes down where these models are. A place without an offset leaves the one that is stored.
pub(crate) async fn store(connection: &mut PgConnection, steps: &[Step<'_>]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE read.progress p SET position = s.position, next_offset = coalesce(s.next_offset, p.next_offset) \
         FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) s (model, lane, position, next_offset) \
         WHERE p.model = s.model AND p.lane = s.lane",
    )
    .bind(steps.iter().map(|step| step.model).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.lane.to_string()).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| i64::from(step.place.position)).collect::<Vec<_>>())
    .bind(steps.iter().map(|step| step.place.offset).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts a model whose progress is locked into these lanes, all at one position, instead of those it had.
pub(crate) async fn move_to(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    epoch: Uuid,
    lanes: &[Lane],
    position: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM read.progress WHERE model = $1")
        .bind(model.name())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO read.progress (model, lane, epoch, position, version) \
         SELECT $1, lane, $3, $4, $5 FROM unnest($2::text[]) lane",
    )
    .bind(model.name())
    .bind(lanes.iter().map(Lane::to_string).collect::<Vec<_>>())
    .bind(epoch)
    .bind(i64::from(position))
    .bind(model.version())
    .execute(connection)
    .await?;
    Ok(())
}

/// The lanes of each model together; rows come by model.
fn gathered(rows: Vec<Row>) -> Result<Vec<Progress>, Error> {
    let mut all: Vec<Progress> = Vec::new();
    for (name, lane, epoch, position, offset, version) in rows {
        let lane =
            lane.parse().map_err(|error| Error::Corrupt(format!("the progress of {name}: {error}")))?;
        let place = (lane, Place { position: position.into(), offset });
        match all.last_mut() {
            Some(last) if last.name == name => last.lanes.push(place),
            _ => all.push(Progress { name, epoch, version, lanes: vec![place] }),
        }
    }
    Ok(all)
}
