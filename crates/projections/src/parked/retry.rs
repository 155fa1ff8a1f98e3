//! Going on with what is parked.

use domain::StreamId;
use event_store::{EventStore, Filter, Lane, Position, Received, Recorded};
use serde::Serialize;
use sqlx::{PgConnection, PgPool};

use super::{Refusal, before, sift};
use crate::{Error, Progress, ReadModel, progress};

/// Events read at once.
const PAGE: u32 = 500;

/// What became of a parked stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// Which.
    pub stream: String,
    /// Whether all of it is taken, and it is parked no more.
    pub taken: bool,
    /// Where it stands now, when it still is.
    pub position: Option<u64>,
    /// And why.
    pub error: Option<String>,
}

/// Tries again what is parked of a model, or one stream of it: from the event that could not be taken up to where the model is, in
/// order. A stream that goes through is parked no more; of any other it is written down where it stands now.
///
/// # Errors
/// [`Error::Unknown`] for a model that there is not, [`Error::OtherEpoch`], and when the database is away: nothing is changed then
/// of the stream that was being tried.
pub async fn retry(
    read: &PgPool,
    store: &EventStore,
    model: &str,
    stream: Option<&StreamId>,
) -> Result<Vec<Retried>, Error> {
    let known = crate::models().into_iter().find(|known| known.name() == model);
    retry_model(read, store, known.ok_or_else(|| Error::Unknown(model.to_owned()))?.as_ref(), stream).await
}

pub(crate) async fn retry_model(
    read: &PgPool,
    store: &EventStore,
    model: &dyn ReadModel,
    stream: Option<&StreamId>,
) -> Result<Vec<Retried>, Error> {
    let parked = super::streams(&mut *read.acquire().await?, &[model.name()]).await?;
    let mut streams: Vec<StreamId> = parked.into_values().flatten().collect();
    streams.retain(|each| stream.is_none_or(|wanted| wanted == each));
    streams.sort_unstable();
    let mut all = Vec::new();
    for stream in streams {
        all.extend(retry_stream(read, store, model, &stream).await?);
    }
    Ok(all)
}

/// `None`: it is parked no more, since somebody else was faster.
async fn retry_stream(
    read: &PgPool,
    store: &EventStore,
    model: &dyn ReadModel,
    stream: &StreamId,
) -> Result<Option<Retried>, Error> {
    let mut transaction = read.begin().await?;
    let until = reached(&mut transaction, store, model, stream).await?;
    let from: Option<i64> =
        sqlx::query_scalar("SELECT position FROM read.parked WHERE model = $1 AND stream = $2 FOR UPDATE")
            .bind(model.name())
            .bind(stream.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
    let Some(from) = from else { return Ok(None) };
    let refusal = go_on(&mut transaction, store, model, stream, before(from), until).await?;
    match &refusal {
        None => forget(&mut transaction, model, stream).await?,
        Some(refusal) => write_down(&mut transaction, model, refusal).await?,
    }
    transaction.commit().await?;
    tracing::info!(
        model = model.name(), %stream, taken = refusal.is_none(),
        "the parked stream {stream} was retried for {}", model.name()
    );
    Ok(Some(Retried {
        stream: stream.to_string(),
        taken: refusal.is_none(),
        position: refusal.as_ref().map(|refusal| refusal.position.0),
        error: refusal.map(|refusal| refusal.error),
    }))
}

/// Locks the model's progress in the lane of the stream, and says how far it is there.
async fn reached(
    connection: &mut PgConnection,
    store: &EventStore,
    model: &dyn ReadModel,
    stream: &StreamId,
) -> Result<Position, Error> {
    let (name, log) = (model.name(), store.head().await?.epoch);
    let all = progress::load(&mut *connection).await?;
    let holds =
        |progress: &Progress| progress.lanes.iter().map(|(lane, _)| *lane).find(|lane| lane.holds(stream));
    let lane: Option<Lane> = all.iter().find(|progress| progress.name == name).and_then(holds);
    let gone = || Error::Corrupt(format!("{name} is in no lane with {stream}: try again"));
    let found = progress::lock_lanes(connection, &[name], &[lane.ok_or_else(gone)?]).await?;
    let progress = found.first().ok_or_else(gone)?;
    if progress.epoch != log {
        return Err(Error::OtherEpoch { model: name.to_owned(), folded: progress.epoch, log });
    }
    if progress.version != model.version() {
        let (model, found, known) = (name.to_owned(), progress.version, model.version());
        return Err(Error::OtherShape { model, found, known });
    }
    Ok(progress.position())
}

/// Applies the events of a stream after a position, up to another, in order. Answers the first that cannot be taken.
async fn go_on(
    connection: &mut PgConnection,
    store: &EventStore,
    model: &dyn ReadModel,
    stream: &StreamId,
    mut after: Position,
    until: Position,
) -> Result<Option<Refusal>, Error> {
    let filter = Filter { stream: Some(stream.clone()), until: Some(until), ..Filter::default() };
    loop {
        let page = store.read_each(after, PAGE, &filter).await?;
        let full = page.len() == PAGE as usize;
        let (events, unreadable) = up_to_unreadable(page);
        if let Some(last) = events.last() {
            after = last.position;
        }
        let refusals = sift(connection, model, events, 1).await?;
        if let Some(refusal) = refusals.into_iter().next().or(unreadable) {
            return Ok(Some(refusal));
        }
        if !full {
            return Ok(None);
        }
    }
}

/// The events before the first that cannot be read, and that one.
fn up_to_unreadable(page: Vec<Received>) -> (Vec<Recorded>, Option<Refusal>) {
    let mut events = Vec::new();
    for received in page {
        match received {
            Ok(recorded) => events.push(recorded),
            Err(unreadable) => return (events, Some(Refusal::from(&unreadable))),
        }
    }
    (events, None)
}

async fn forget(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    stream: &StreamId,
) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM read.parked WHERE model = $1 AND stream = $2")
        .bind(model.name())
        .bind(stream.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn write_down(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    refusal: &Refusal,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE read.parked SET position = $3, version = $4, event_id = $5, type = $6, error = $7, \
         tried_at = now(), tries = tries + 1 WHERE model = $1 AND stream = $2",
    )
    .bind(model.name())
    .bind(refusal.stream.as_str())
    .bind(i64::from(refusal.position))
    .bind(refusal.version as i32)
    .bind(refusal.event_id)
    .bind(&refusal.type_name)
    .bind(&refusal.error)
    .execute(connection)
    .await?;
    Ok(())
}
