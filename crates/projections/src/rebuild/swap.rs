//! The copy becomes the running read model.

use std::time::Duration;

use event_store::Position;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use super::copy::Copy;
use super::fold::Source;
use super::{Error, exchange};
use crate::extent::Extent;

/// Tried for so long, when queries that take long are in the way again and again.
const LONGEST: Duration = Duration::from_secs(300);
/// Queries go on for so long between two tries.
const PAUSE: Duration = Duration::from_millis(300);

/// Swaps the copy in, with all of the log up to where it ends then. Answers how far that is.
pub(super) async fn swap(
    source: &Source,
    held: &mut PgConnection,
    copy: &mut Copy,
) -> Result<Position, Error> {
    let began = Instant::now();
    loop {
        catch_up(source, copy).await?;
        let error = match try_swap(source, held, copy).await {
            Ok(Some(position)) => return Ok(position),
            Ok(None) => continue,
            Err(error) => error,
        };
        if !error.is_outage() || !exchange::lives(held).await {
            return Err(error);
        }
        if began.elapsed() > LONGEST {
            return Err(Error::InUse { model: source.model.name(), seconds: began.elapsed().as_secs() });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Folds the copy up to where the log ends now.
async fn catch_up(source: &Source, copy: &mut Copy) -> Result<(), Error> {
    let head = source.store.head().await?;
    if head.epoch != copy.epoch {
        return Err(Error::OtherEpoch { model: source.model.name() });
    }
    source.fold(copy, Extent::log(head.position)).await
}

/// One try. `None`: the log has grown too much meanwhile.
pub(super) async fn try_swap(
    source: &Source,
    held: &mut PgConnection,
    copy: &Copy,
) -> Result<Option<Position>, Error> {
    let model = source.model.as_ref();
    let mut transaction = held.begin().await?;
    let running = exchange::begin(&mut transaction, model, copy).await?;
    let Some(position) = exchange::finish(source, &mut transaction, copy).await? else {
        // At once: dropped, it would hold its locks until the connection is used again, and the copy could not be folded.
        transaction.rollback().await?;
        return Ok(None);
    };
    exchange::make_room(&mut transaction, model).await?;
    exchange::keep(&mut transaction, model, running.as_ref(), copy.epoch).await?;
    exchange::keep_parked(&mut transaction, model).await?;
    if running.is_some() {
        exchange::advance(&mut transaction, model, copy.epoch, position).await?;
    } else {
        begin(&mut transaction, source, copy, position).await?;
    }
    sqlx::query("DELETE FROM read.copies WHERE copy = $1").bind(copy.id).execute(&mut *transaction).await?;
    exchange::tables(&mut transaction, model, &copy.schema).await?;
    transaction.commit().await?;
    Ok(Some(position))
}

/// Nobody has folded it yet: it begins where the copy is.
async fn begin(
    connection: &mut PgConnection,
    source: &Source,
    copy: &Copy,
    position: Position,
) -> Result<(), Error> {
    sqlx::query("INSERT INTO read.progress (model, epoch, position, version) VALUES ($1, $2, $3, $4)")
        .bind(source.model.name())
        .bind(copy.epoch)
        .bind(i64::from(position))
        .bind(copy.version)
        .execute(connection)
        .await?;
    Ok(())
}
