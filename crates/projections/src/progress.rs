//! How far each read model has come: a row each, written in the transaction that wrote its rows.

use event_store::Position;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{Error, ReadModel};

/// How far a read model has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The read model.
    pub name: String,
    /// The log it was folded over.
    pub epoch: Uuid,
    /// The last event that is in its rows.
    pub position: Position,
    /// The shape of its rows.
    pub version: i32,
}

type Row = (String, Uuid, i64, i32);

impl From<Row> for Progress {
    fn from((name, epoch, position, version): Row) -> Self {
        Self { name, epoch, position: position.into(), version }
    }
}

/// How far the read models have come, by name.
pub async fn progress(read: &PgPool) -> Result<Vec<Progress>, Error> {
    Ok(load(&mut *read.acquire().await?).await?)
}

/// The same, as this connection sees it.
pub(crate) async fn load(connection: &mut PgConnection) -> Result<Vec<Progress>, sqlx::Error> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT model, epoch, position, version FROM read.progress ORDER BY model")
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(Progress::from).collect())
}

/// Begins models that nobody has folded yet, at the beginning of the log.
pub(crate) async fn begin(
    connection: &mut PgConnection,
    models: &[Box<dyn ReadModel>],
    epoch: Uuid,
) -> Result<(), sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<i32>) =
        models.iter().map(|model| (model.name(), model.version())).unzip();
    sqlx::query(
        "INSERT INTO read.progress (model, epoch, position, version) \
         SELECT model, $3, 0, version FROM unnest($1::text[], $2::int[]) m (model, version) ON CONFLICT DO NOTHING",
    )
    .bind(names)
    .bind(versions)
    .bind(epoch)
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks the progress of these models until the end of the transaction, and says how far they are now. Always in the order
/// of their names, so that two projectors wait for each other and never for ever.
pub(crate) async fn lock(
    connection: &mut PgConnection,
    names: &[&str],
) -> Result<Vec<Progress>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT model, epoch, position, version FROM read.progress WHERE model = ANY ($1) ORDER BY model FOR UPDATE",
    )
    .bind(names)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Progress::from).collect())
}

/// Writes down how far these models have come, with the shape of their rows.
pub(crate) async fn store(
    connection: &mut PgConnection,
    models: &[&dyn ReadModel],
    position: Position,
) -> Result<(), sqlx::Error> {
    let (names, versions): (Vec<&str>, Vec<i32>) =
        models.iter().map(|model| (model.name(), model.version())).unzip();
    sqlx::query(
        "UPDATE read.progress p SET position = $3, version = m.version \
         FROM unnest($1::text[], $2::int[]) m (model, version) WHERE p.model = m.model",
    )
    .bind(names)
    .bind(versions)
    .bind(i64::from(position))
    .execute(connection)
    .await?;
    Ok(())
}
