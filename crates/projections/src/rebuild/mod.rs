//! A read model is rebuilt beside the running one, from the first event on, and swapped in when it has proved itself.
//!
//! The copy has a schema of its own, and whatever folds into it finds no other rows by bare names: nothing can come of a rebuild
//! but that copy. Several workers fold it, a share of the streams each, every batch in one transaction with how far that is: what
//! breaks off goes on where it was. Then new and running rows are compared as they are at one place in the log, without holding
//! anybody up. The swap is one short transaction that gives way to queries, and folds the last events itself. What was running is
//! kept: [`rollback`] swaps it back.

mod compare;
mod copy;
mod error;
mod exchange;
mod fold;
mod meter;
mod patience;
mod prove;
mod renew;
mod rollback;
mod running;
mod shape;
mod swap;
#[cfg(test)]
mod tests;
mod tidy;
mod turn;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use event_store::{EventStore, Head, Position};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

pub use compare::Differences;
pub use error::Error;
pub use meter::{Meter, Stage};
pub(crate) use renew::keep_renewed;
pub use rollback::rollback;
pub(crate) use tidy::keep_tidy;
pub use tidy::{drop_old, tidy};

use crate::extent::Extent;
use crate::products::Products;
use crate::{Error as Fold, ReadModel};
use copy::{Copy, Kind};
use fold::Source;
use running::Running;

/// A copy that is no further behind goes on to what comes next; what is left is folded there.
const NEAR: u64 = 2_000;
/// So often the copy follows the log before it goes on wherever it is.
const ROUNDS: u32 = 20;

/// How to rebuild.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many fold at once. A copy that is taken up again keeps its number.
    pub workers: u32,
    /// Throw away what an interrupted rebuild has left.
    pub restart: bool,
    /// Swap although rows differ, or cannot be compared because the running ones are of another log.
    pub accept_differences: bool,
}

/// What came of comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// New and running rows are the same, with all of the log up to there.
    Equal(Position),
    /// They differ.
    Different(Differences),
    /// The running rows are of that version: other events made other rows of them.
    OtherVersion(i32),
    /// The running rows are of another log.
    OtherEpoch,
    /// Nobody has folded it yet.
    NeverFolded,
    /// That was done before it was interrupted.
    Before,
}

/// What came of a rebuild.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The read model.
    pub model: &'static str,
    /// Events that were folded, and how long all of it took.
    pub events: u64,
    /// How long all of it took.
    pub took: Duration,
    /// Whether the new rows proved themselves.
    pub compared: Compared,
    /// Where the new rows are since they are the running ones. `None`: they were not swapped in.
    pub swapped: Option<Position>,
}

/// How many fold a model at once when nothing else is said, on so many cores.
pub fn workers(model: &dyn ReadModel, cores: usize) -> u32 {
    // Its workers would wait for each other: they change the same counts.
    if model.name() == Products::NAME { 1 } else { cores.clamp(1, 4) as u32 }
}

/// Rebuilds a read model. One that was interrupted is taken up where it was.
///
/// # Errors
/// See [`Error`]: what was running goes on running. That rows differ is no error: see [`Outcome::compared`].
pub async fn run(
    read: &PgPool,
    store: &EventStore,
    model: Arc<dyn ReadModel>,
    options: Options,
    meter: Arc<Meter>,
) -> Result<Outcome, Error> {
    let began = Instant::now();
    let held = turn::take(read, model.name()).await?;
    let source = Source { read: read.clone(), store: store.clone(), model, meter };
    let mut rebuild = Rebuild { source, options, held };
    let (compared, swapped) = rebuild.run().await?;
    let Rebuild { source, held, .. } = rebuild;
    held.close().await?;
    source.meter.begins(Stage::Done);
    let events = source.meter.events();
    Ok(Outcome { model: source.model.name(), events, took: began.elapsed(), compared, swapped })
}

/// A rebuild under way. Nobody else rebuilds that model as long as the connection is held.
struct Rebuild {
    source: Source,
    options: Options,
    held: PgConnection,
}

impl Rebuild {
    async fn run(&mut self) -> Result<(Compared, Option<Position>), Error> {
        let head = self.source.store.head().await?;
        let running = Running::find(&mut self.held, self.source.model.name()).await?;
        let prevented = self.prevented(running.as_ref(), head)?;
        let mut copy = self.copy(head).await?;
        let prevented = prevented.or_else(|| copy.compared.then_some(Compared::Before));
        self.build(&mut copy, prevented.is_none()).await?;
        let compared = match prevented {
            Some(prevented) => prevented,
            None => self.prove(&mut copy).await?,
        };
        if matches!(compared, Compared::Different(_)) && !self.options.accept_differences {
            return Ok((compared, None));
        }
        copy.set_compared(&mut self.held).await?;
        self.source.meter.begins(Stage::Swapping);
        let swapped = swap::swap(&self.source, &mut self.held, &mut copy).await?;
        Ok((compared, Some(swapped)))
    }

    /// Why there will be nothing to compare with.
    fn prevented(&self, running: Option<&Running>, head: Head) -> Result<Option<Compared>, Error> {
        let (model, known) = (self.source.model.name(), self.source.model.version());
        let Some(running) = running else { return Ok(Some(Compared::NeverFolded)) };
        if running.version > known {
            return Err(Fold::Newer { model: model.to_owned(), found: running.version, known }.into());
        }
        if running.epoch != head.epoch {
            let accepted = self.options.accept_differences.then_some(Some(Compared::OtherEpoch));
            return accepted.ok_or(Error::OtherEpoch { model });
        }
        Ok((running.version < known).then_some(Compared::OtherVersion(running.version)))
    }

    /// The copy that an interrupted rebuild has left, when it still fits; else a new one.
    async fn copy(&mut self, head: Head) -> Result<Copy, Error> {
        let model = self.source.model.as_ref();
        if let Some(copy) = Copy::find(&mut self.held, model.name(), Kind::Next).await? {
            let fits = copy.version == model.version() && copy.epoch == head.epoch;
            let later = model.indexes_made_later();
            let alike = shape::alike(&mut self.held, &copy.schema, model.tables(), later).await?;
            if fits && alike && !self.options.restart {
                return Ok(copy);
            }
        }
        Copy::create(&mut self.held, model, head.epoch, self.options.workers.max(1)).await
    }

    /// Folds the copy until it is near the running rows, when it is to be compared with them; else near the end of the log.
    async fn build(&mut self, copy: &mut Copy, compared: bool) -> Result<(), Error> {
        self.source.meter.begins(Stage::Building);
        for _ in 0..ROUNDS {
            let head = self.source.store.head().await?;
            let mut target = head.position;
            if compared && let Some(running) = Running::find(&mut self.held, self.source.model.name()).await?
            {
                target = target.min(running.position());
            }
            let missing = target.0.saturating_sub(copy.extent.least().0);
            self.source.fold(copy, Extent::log(target)).await?;
            if missing <= NEAR {
                break;
            }
        }
        let later = self.source.model.indexes_made_later();
        shape::complete(&mut self.held, &copy.schema, later).await?;
        // The planner knows nothing of new tables until somebody has looked.
        for table in self.source.model.tables() {
            let sql = format!("VACUUM (ANALYZE) {}.{}", shape::quoted(&copy.schema), shape::quoted(table));
            sqlx::query(AssertSqlSafe(sql)).execute(&mut self.held).await?;
        }
        Ok(())
    }
}
