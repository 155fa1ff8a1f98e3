//! What was swapped out comes back, with its own progress; what is running is kept in its place.

use std::sync::Arc;
use std::time::Duration;

use event_store::{EventStore, Position};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use super::copy::{Copy, Kind};
use super::fold::Source;
use super::running::Running;
use super::shape::quoted;
use super::{Error, Meter, exchange, turn};
use crate::ReadModel;
use crate::extent::Extent;

/// How long the old rows may take to catch up before they come back as they are; projectors do the rest then.
const CATCH_UP: Duration = Duration::from_secs(1);
/// Tried for so long, when queries that take long are in the way again and again.
const TRIES: u32 = 300;
const PAUSE: Duration = Duration::from_millis(300);

/// Swaps the old copy of a read model back in. Answers how far it is: projectors go on from there.
///
/// It catches up first for a second, so that nobody sees older rows when there is little to fold.
///
/// # Errors
/// See [`Error`]: what was running goes on running.
pub async fn rollback(
    read: &PgPool,
    store: &EventStore,
    model: Arc<dyn ReadModel>,
) -> Result<Position, Error> {
    let mut held = turn::take(read, model.name()).await?;
    let source =
        Source { read: read.clone(), store: store.clone(), model, meter: Arc::new(Meter::default()) };
    let mut copy = find(&source, &mut held).await?;
    let mut tries = 0;
    let position = loop {
        catch_up(&source, &mut held, &mut copy).await?;
        match try_swap(&source, &mut held, &copy).await {
            Ok(position) => break position,
            Err(error) if !error.is_outage() || !exchange::lives(&mut held).await => return Err(error),
            Err(error) if tries > TRIES => return Err(error),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        tries += 1;
    };
    held.close().await?;
    Ok(position)
}

/// The old copy, when this program can go on with it.
async fn find(source: &Source, held: &mut PgConnection) -> Result<Copy, Error> {
    let (model, known) = (source.model.name(), source.model.version());
    let copy = Copy::find(held, model, Kind::Old).await?.ok_or(Error::NoOldCopy { model })?;
    if copy.version != known {
        return Err(Error::OtherVersion { model, found: copy.version, known });
    }
    if copy.epoch != source.store.head().await?.epoch {
        return Err(Error::OtherEpoch { model });
    }
    Ok(copy)
}

/// Folds into the old rows what has happened since, as far as that goes in a moment.
async fn catch_up(source: &Source, held: &mut PgConnection, copy: &mut Copy) -> Result<(), Error> {
    if parked_in(held, copy).await? > 0 {
        // Their streams wait: the projector knows how.
        return Ok(());
    }
    let head = source.store.head().await?.position;
    // Whatever is in its way is in the projector's way, too, which says so.
    let folded = tokio::time::timeout(CATCH_UP, source.fold(copy, Extent::log(head))).await;
    if let Ok(Err(error)) = folded {
        tracing::debug!(%error, "the old rows do not catch up before they come back");
    }
    copy.look(held).await
}

/// Streams that were parked when these rows were swapped out.
async fn parked_in(connection: &mut PgConnection, copy: &Copy) -> Result<i64, Error> {
    let sql = format!("SELECT count(*) FROM {}.parked", quoted(&copy.schema));
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?)
}

/// What was parked then waits again.
async fn bring_back_parked(connection: &mut PgConnection, schema: &str) -> Result<(), Error> {
    let kept = format!("{}.parked", quoted(schema));
    for sql in [format!("INSERT INTO read.parked SELECT * FROM {kept}"), format!("DROP TABLE {kept}")] {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    Ok(())
}

/// One try.
async fn try_swap(source: &Source, held: &mut PgConnection, copy: &Copy) -> Result<Position, Error> {
    let model = source.model.as_ref();
    let mut transaction = held.begin().await?;
    let running = exchange::begin(&mut transaction, model, copy).await?;
    let finished = match parked_in(&mut transaction, copy).await? {
        0 => exchange::finish(source, &mut transaction, copy).await?,
        _ => None,
    };
    let coming = format!("{}_back_{}", crate::schema::SCHEMA, model.name());
    let sql = format!("ALTER SCHEMA {} RENAME TO {}", quoted(&copy.schema), quoted(&coming));
    sqlx::query(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
    set_aside(&mut transaction, copy).await?;
    exchange::make_room(&mut transaction, model).await?;
    exchange::keep(&mut transaction, model, running.as_ref(), copy.epoch).await?;
    exchange::keep_parked(&mut transaction, model).await?;
    bring_back_parked(&mut transaction, &coming).await?;
    let position = finished.unwrap_or_else(|| copy.extent.least());
    exchange::advance(&mut transaction, model, copy.epoch, position).await?;
    if finished.is_none() {
        go_back(&mut transaction, model, copy, running.as_ref()).await?;
    }
    sqlx::query("DELETE FROM read.copies WHERE copy = $1").bind(copy.id).execute(&mut *transaction).await?;
    exchange::tables(&mut transaction, model, &coming).await?;
    transaction.commit().await?;
    Ok(position)
}

/// There is one old copy of a model: this one is none any more.
async fn set_aside(connection: &mut PgConnection, copy: &Copy) -> Result<(), Error> {
    sqlx::query("UPDATE read.copies SET kind = 'back' WHERE copy = $1")
        .bind(copy.id)
        .execute(connection)
        .await?;
    Ok(())
}

/// Sets the places of the model's lanes back to those of the old copy. With lanes that it does not have, all are at its least:
/// what is folded once more changes nothing.
async fn go_back(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    copy: &Copy,
    running: Option<&Running>,
) -> Result<(), Error> {
    if !running.is_some_and(|running| running.extent.is_cut_like(&copy.extent)) {
        sqlx::query("UPDATE read.progress SET next_offset = NULL WHERE model = $1")
            .bind(model.name())
            .execute(connection)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "UPDATE read.progress p SET position = c.position, next_offset = c.next_offset \
         FROM read.copy_places c WHERE p.model = $1 AND c.copy = $2 AND c.part = p.lane",
    )
    .bind(model.name())
    .bind(copy.id)
    .execute(connection)
    .await?;
    Ok(())
}
