//! Finding the events that a model cannot take among those that it can.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;

use domain::StreamId;
use event_store::Recorded;
use futures::FutureExt;
use sqlx::PgConnection;

use super::{PARKED_MAX, Refusal};
use crate::{Error, ReadModel};

/// Applies events; a panic is an error like any other.
pub(crate) async fn guarded(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    events: &[Recorded],
) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    guard(async { model.apply(connection, events).await }).await
}

/// A panic of a fold is an error like any other.
pub(crate) async fn guard(folding: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    AssertUnwindSafe(folding).catch_unwind().await.unwrap_or(Err(Error::Panicked))
}

/// Applies all that the model can take, and answers what it cannot: the first such event of each stream. What comes after it in
/// its stream is held back.
///
/// By halves, in savepoints: a batch with one bad event in it costs a handful of them. Only so many streams may stop.
///
/// # Errors
/// [`Error::Broken`] when more do, and an outage.
pub(crate) async fn sift(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    events: Vec<Recorded>,
    streams_max: usize,
) -> Result<Vec<Refusal>, Error> {
    let (mut refusals, mut stopped) = (Vec::new(), HashSet::<StreamId>::new());
    let mut waiting = vec![events];
    while let Some(mut events) = waiting.pop() {
        events.retain(|event| !stopped.contains(&event.stream));
        let Some(error) = attempt(connection, model, &events).await? else { continue };
        if let [event] = events.as_slice() {
            if refusals.len() == streams_max {
                return Err(Error::Broken { model: model.name().to_owned(), parked_max: PARKED_MAX });
            }
            refusals.push(Refusal::of(event, &error));
            stopped.insert(event.stream.clone());
        } else {
            let later = events.split_off(events.len() / 2);
            waiting.extend([later, events]);
        }
    }
    Ok(refusals)
}

/// Applies these events, all or none. Answers why they cannot be taken, when they cannot.
async fn attempt(
    connection: &mut PgConnection,
    model: &dyn ReadModel,
    events: &[Recorded],
) -> Result<Option<Error>, Error> {
    sqlx::query("SAVEPOINT taking").execute(&mut *connection).await?;
    let refused = match guarded(connection, model, events).await {
        Ok(()) => None,
        Err(error) if error.is_poison() => {
            sqlx::query("ROLLBACK TO SAVEPOINT taking").execute(&mut *connection).await?;
            Some(error)
        }
        Err(error) => return Err(error),
    };
    sqlx::query("RELEASE SAVEPOINT taking").execute(connection).await?;
    Ok(refused)
}
