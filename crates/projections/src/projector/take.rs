//! Taking batches: one transaction for the rows of all models, what is parked, and how far that is; all or nothing.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::time::{Duration, Instant};

use event_store::{Lane, Place, Position};
use sqlx::{Connection, PgConnection};

use super::Projector;
use super::batch::{Batch, Share, concerns};
use crate::parked::{self, PARKED_MAX, Refusal};
use crate::progress::{self, Step};
use crate::{Error, Progress, ReadModel};

/// Transactions that stood in each other's way are begun again so often at once.
const COLLISIONS_MAX: u32 = 10;
/// A transaction that takes longer goes over a connection that leads nowhere.
pub(super) const ATTEMPT_MAX: Duration = Duration::from_secs(120);

/// What became of batches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Every model that follows their lanes has taken them.
    All,
    /// Nothing is taken: these lack something before them.
    Behind(Vec<Gap>),
    /// Nothing is taken: a model does not follow the log any more.
    Elsewhere,
}

/// What a model lacks of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) model: &'static str,
    pub(super) lane: Lane,
    pub(super) after: Position,
    pub(super) until: Position,
}

/// One model, and what it is to take: each batch with the place it is at.
struct Part<'a> {
    model: &'a dyn ReadModel,
    batches: Vec<(&'a Batch, Place)>,
}

impl Projector {
    /// Takes these batches, each of another lane, into the models that follow their lanes.
    ///
    /// An event that a model cannot take is parked with its stream, for that model.
    pub(super) async fn take(&self, models: &[&dyn ReadModel], batches: &[Batch]) -> Result<Taken, Error> {
        let (began, mut collisions, mut careful) = (Instant::now(), 0, false);
        loop {
            match self.attempt_in_time(models, batches, careful).await {
                Err(error) if error.is_collision() && collisions < COLLISIONS_MAX => collisions += 1,
                // One of these events cannot be taken: the second time it is found out which.
                Err(error) if error.is_poison() && !careful => careful = true,
                taken => {
                    metrics::histogram!("projection_batch_seconds").record(began.elapsed().as_secs_f64());
                    return taken;
                }
            }
        }
    }

    /// One transaction. Given up, it is rolled back with the connection that it was on.
    async fn attempt_in_time(
        &self,
        models: &[&dyn ReadModel],
        batches: &[Batch],
        careful: bool,
    ) -> Result<Taken, Error> {
        let mut connection = self.folding.acquire().await?;
        let attempt = self.attempt(&mut connection, models, batches, careful);
        let taken = in_time(self.attempt_max, attempt).await;
        if let Err(Error::Database(sqlx::Error::Io(_))) = &taken {
            drop(connection.detach());
        }
        taken
    }

    async fn attempt(
        &self,
        connection: &mut PgConnection,
        models: &[&dyn ReadModel],
        batches: &[Batch],
        careful: bool,
    ) -> Result<Taken, Error> {
        let names: Vec<&str> = models.iter().map(|model| model.name()).collect();
        let lanes: Vec<Lane> = batches.iter().map(|batch| batch.lane).collect();
        let mut transaction = connection.begin().await?;
        // From here on another projector waits; what it finds then is further than it thought.
        let found = progress::lock_lanes(&mut transaction, &names, &lanes).await?;
        let parts = parts(models, batches, &found)?;
        if lanes == [Lane::Log] && parts.len() != models.len() {
            return Ok(Taken::Elsewhere);
        }
        let gaps: Vec<Gap> = parts.iter().flat_map(Part::gaps).collect();
        if !gaps.is_empty() {
            return Ok(Taken::Behind(gaps));
        }
        let parked = parked::streams(&mut transaction, &names).await?;
        let mut refused = Vec::new();
        for part in &parts {
            let waiting = parked.get(part.model.name());
            let share = Share::of(part.model, &part.batches, waiting);
            let room = PARKED_MAX.saturating_sub(waiting.map_or(0, HashSet::len));
            let refusals = part.apply(&mut transaction, share, room, careful).await?;
            parked::park(&mut transaction, part.model.name(), &lanes, &refusals).await?;
            refused.push((part.model.name(), refusals));
        }
        let steps: Vec<Step<'_>> = parts.iter().flat_map(Part::steps).collect();
        progress::store(&mut transaction, &steps).await?;
        transaction.commit().await?;
        for (model, refusals) in refused {
            let waiting = parked.get(model).map_or(0, HashSet::len) + refusals.len();
            metrics::gauge!("projection_parked_streams", "model" => model).set(waiting as f64);
            refusals.iter().for_each(|refusal| report(model, refusal));
        }
        Ok(Taken::All)
    }
}

/// Gives up what takes too long.
pub(super) async fn in_time<T>(
    longest: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(longest, work).await.unwrap_or_else(|_elapsed| {
        let late = format!("the database has not answered for {longest:?}");
        Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, late)).into())
    })
}

/// What each model is to take, those that follow none of the lanes left out.
fn parts<'a>(
    models: &[&'a dyn ReadModel],
    batches: &'a [Batch],
    found: &[Progress],
) -> Result<Vec<Part<'a>>, Error> {
    let mut parts = Vec::new();
    for model in models {
        let Some(progress) = found.iter().find(|progress| progress.name == model.name()) else { continue };
        match progress.version.cmp(&model.version()) {
            // It is being rebuilt; the old rows are served until then.
            Ordering::Less => continue,
            Ordering::Equal => {}
            Ordering::Greater => return Err(super::places::newer(progress, *model)),
        }
        let follows = |batch: &'a Batch| progress.place(batch.lane).map(|place| (batch, place));
        let batches: Vec<(&Batch, Place)> = batches.iter().filter_map(follows).collect();
        for (batch, _) in &batches {
            super::places::check_epoch(progress, batch.epoch)?;
        }
        parts.push(Part { model: *model, batches });
    }
    Ok(parts)
}

impl<'a> Part<'a> {
    fn gaps(&self) -> impl Iterator<Item = Gap> {
        let lacks = |(batch, place): &&(&Batch, Place)| place.position < batch.after;
        self.batches.iter().filter(lacks).map(|(batch, place)| Gap {
            model: self.model.name(),
            lane: batch.lane,
            after: place.position,
            until: batch.after,
        })
    }

    /// Where it is then. What it had already moves it nowhere.
    fn steps(&self) -> impl Iterator<Item = Step<'a>> {
        let name: &'a str = self.model.name();
        let further = |(batch, place): &&(&Batch, Place)| {
            batch.through > place.position || (batch.through == place.position && batch.offset > place.offset)
        };
        self.batches.iter().filter(further).map(move |(batch, _)| Step {
            model: name,
            lane: batch.lane,
            place: Place { position: batch.through, offset: batch.offset },
        })
    }

    /// Applies what is to be taken. Answers what cannot be; there may be so much of it at most.
    async fn apply(
        &self,
        connection: &mut PgConnection,
        share: Share<'_>,
        room: usize,
        careful: bool,
    ) -> Result<Vec<Refusal>, Error> {
        let Share { events, mut refusals } = share;
        let broken = || Error::Broken { model: self.model.name().to_owned(), parked_max: PARKED_MAX };
        let room = room.checked_sub(refusals.len()).ok_or_else(broken)?;
        if careful {
            let mut events = events.into_owned();
            events.retain(|event| concerns(self.model, &event.stream));
            refusals.extend(parked::sift(connection, self.model, events, room).await?);
        } else {
            parked::guarded(connection, self.model, &events).await?;
        }
        Ok(first_of_each(refusals))
    }
}

/// A stream stops at its first event that cannot be taken.
fn first_of_each(mut refusals: Vec<Refusal>) -> Vec<Refusal> {
    refusals.sort_by(|one, other| (&one.stream, one.version).cmp(&(&other.stream, other.version)));
    refusals.dedup_by(|later, first| later.stream == first.stream);
    refusals
}

fn report(model: &str, refusal: &Refusal) {
    let Refusal { stream, position, type_name, error, .. } = refusal;
    tracing::error!(
        model, %stream, position = position.0, event_type = type_name, error,
        "{model} cannot take the event at position {position} of {stream}: this stream is parked, everything else goes on"
    );
}
