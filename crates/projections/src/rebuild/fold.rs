//! Folding the log into a copy: one task reads ahead, and a worker for each share of the streams opens and folds what is in it, so
//! that all cores have something to do.

use std::sync::Arc;

use event_store::{EventStore, Filter, Lengths, Position, Segment, Segments, Unreadable};
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::copy::Copy;
use super::patience::Patience;
use super::worker::Worker;
use super::{Error, Meter};
use crate::ReadModel;
use crate::extent::{Extent, Part};

/// Positions that are read at once; a worker writes its share of the events of one or more of these as one batch. Small ones are
/// sooner kept: whoever is interrupted soon has something all the same.
const LENGTHS: Lengths = Lengths { first: 4_000, most: 32_000 };
/// Segments that wait for a worker.
const AHEAD: usize = 1;

/// What is folded, and from where.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) read: PgPool,
    pub(super) store: EventStore,
    pub(super) model: Arc<dyn ReadModel>,
    pub(super) meter: Arc<Meter>,
}

impl Source {
    /// Only the events of the topics that the model folds.
    pub(super) fn filter(&self, until: Position) -> Filter {
        let categories = self.model.topics().iter().flat_map(|topic| topic.categories()).collect();
        Filter { categories, until: Some(until), ..Filter::default() }
    }

    /// Only the events that the model folds, as far as it says which these are.
    fn wanted(&self, until: Position) -> Filter {
        let types: Vec<String> = self.model.types().iter().copied().map(str::to_owned).collect();
        if types.is_empty() {
            return self.filter(until);
        }
        Filter { types, until: Some(until), ..Filter::default() }
    }

    /// Folds the copy up to the target. What was folded already is left out, and each batch is kept when it is done: dropped in
    /// the middle, the next call goes on where this one was.
    pub(super) async fn fold(&self, copy: &mut Copy, target: Extent) -> Result<(), Error> {
        let after = copy.extent.least();
        self.meter.aims(after, target.most());
        if after < target.most() {
            let mut tasks: JoinSet<Result<(), Error>> = JoinSet::new();
            let (mut senders, target) = (Vec::new(), Arc::new(target));
            let groups = groups(&copy.extent);
            for parts in groups.clone() {
                let (sender, batches) = mpsc::channel(AHEAD);
                senders.push(sender);
                let worker = Worker::new(self.clone(), copy.clone(), parts, Arc::clone(&target));
                tasks.spawn(worker.run(batches));
            }
            let reader = Reader { source: self.clone(), senders };
            tasks.spawn(reader.run(after, target.most()));
            while let Some(done) = tasks.join_next().await {
                // The first that fails ends the others: they are dropped.
                done.map_err(|error| crate::Error::Corrupt(format!("a fold broke off: {error}")))??;
            }
        }
        copy.look(&mut *self.read.acquire().await?).await
    }
}

/// Who folds what: each share has a worker of its own; lanes, of which there is never much to fold, have one together.
fn groups(extent: &Extent) -> Vec<Vec<Part>> {
    let parts: Vec<Part> = extent.parts().collect();
    if parts.iter().all(|part| matches!(part, Part::Share { .. })) {
        return parts.into_iter().map(|part| vec![part]).collect();
    }
    vec![parts]
}

/// Reads ahead of the workers.
struct Reader {
    source: Source,
    senders: Vec<mpsc::Sender<Arc<Segment>>>,
}

impl Reader {
    async fn run(self, mut after: Position, until: Position) -> Result<(), Error> {
        let mut patience = Patience::new();
        while after < until {
            let before = after;
            // Begun anew where it was when it breaks off.
            match self.pass_on(&mut after, until).await {
                Ok(true) if after > before => {}
                // The rows that it is to be compared with are of a log that was longer.
                Ok(true) => {
                    return Err(
                        crate::Error::Corrupt(format!("the log ends at {after}, before {until}")).into()
                    );
                }
                // A worker has failed, and says why.
                Ok(false) => return Ok(()),
                Err(error) => {
                    if after > before {
                        patience = Patience::new();
                    }
                    patience.wait(error).await?;
                }
            }
        }
        Ok(())
    }

    /// Gives the workers all there is, and says how far that is. `false`: nobody takes it.
    async fn pass_on(&self, after: &mut Position, until: Position) -> Result<bool, Error> {
        let mut segments = self.segments(*after, until).await?;
        while let Some(segment) = segments.next().await? {
            let segment = Arc::new(segment);
            for sender in &self.senders {
                if sender.send(Arc::clone(&segment)).await.is_err() {
                    return Ok(false);
                }
            }
            *after = segment.through;
            self.source.meter.reaches(*after);
        }
        Ok(true)
    }

    async fn segments(&self, after: Position, until: Position) -> Result<Segments, Error> {
        let filter = self.source.wanted(until);
        Ok(self.source.store.segments(after, until, &filter, LENGTHS).await?)
    }
}

/// An event that cannot be read stops a rebuild.
pub(super) fn unreadable(model: &dyn ReadModel, event: Unreadable) -> Error {
    Error::Poison {
        model: model.name(),
        position: event.position,
        stream: event.stream.to_string(),
        source: Box::new(crate::Error::Corrupt(event.error)),
    }
}
