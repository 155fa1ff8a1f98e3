//! Following the partitions of a feed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_store::{Delivery, Feed, Filter, Lane, Received, Topic};

use super::batch::Batch;
use super::log::position_of;
use super::stepping::Stepping;
use super::stored::Stored;
use super::take::{Gap, Taken};
use super::{BATCH, OpenFeed, Projector, handover};
use crate::{Error, ReadModel, progress};

/// How long to wait before it is looked whether the first model is ready for its partitions.
const FIRST_LOOK: Duration = Duration::from_millis(100);
/// How long until it is looked again whether more of them are.
const LOOK: Duration = Duration::from_secs(1);

/// A projector that follows a feed.
pub(super) struct Following {
    projector: Projector,
    open: OpenFeed,
    partitions: u32,
    feed: Option<Box<dyn Feed>>,
    /// The models that follow their partitions, and when that was looked at.
    followers: BTreeSet<&'static str>,
    looked: Instant,
    /// What was delivered last was not taken: the feed goes back to what is stored.
    again: bool,
}

impl Following {
    pub(super) fn new(projector: Projector, open: OpenFeed, partitions: u32) -> Self {
        let (followers, looked) = (BTreeSet::new(), Instant::now());
        Self { projector, open, partitions, feed: None, followers, looked, again: false }
    }

    /// Takes the next deliveries.
    async fn follow(&mut self) -> Result<(), Error> {
        if self.feed.is_none() {
            self.open().await?;
        }
        if self.looked.elapsed() > LOOK {
            self.look().await?;
        }
        let Some(feed) = &mut self.feed else { return Ok(()) };
        if self.again {
            feed.restart().await?;
            self.again = false;
        }
        // What takes long is not given up while nobody has joined: it would begin anew, and take as long.
        let mut next = feed.next();
        let deliveries = loop {
            match tokio::time::timeout(LOOK, &mut next).await {
                Ok(deliveries) => break deliveries?,
                Err(_) if self.projector.followers(self.partitions).await? == self.followers => {}
                Err(_) => return Ok(()),
            }
        };
        let batches: Vec<Batch> = deliveries.into_iter().map(Batch::from).collect();
        self.projector.take_all(&batches).await
    }

    /// Opens the feed, once a model follows its partitions.
    async fn open(&mut self) -> Result<(), Error> {
        while self.followers.is_empty() {
            tokio::time::sleep(FIRST_LOOK).await;
            self.followers = self.projector.followers(self.partitions).await?;
        }
        let models = &self.projector.models;
        let mut topics: Vec<Topic> = models.iter().flat_map(|model| model.topics()).copied().collect();
        topics.sort_unstable();
        topics.dedup();
        let places = Stored {
            looks: self.projector.looks.clone(),
            store: self.projector.store.clone(),
            models: models.iter().map(|model| model.name()).collect(),
        };
        self.feed = Some((self.open)(Arc::new(places), topics).await?);
        Ok(())
    }

    /// A model that has joined may lack what the feed has brought before: the feed goes back to where the last of them is.
    async fn look(&mut self) -> Result<(), Error> {
        let followers = self.projector.followers(self.partitions).await?;
        self.again |= !followers.is_subset(&self.followers);
        (self.followers, self.looked) = (followers, Instant::now());
        Ok(())
    }
}

impl Stepping for Following {
    fn step(&mut self) -> impl Future<Output = Result<(), Error>> + Send {
        self.follow()
    }

    fn look_again(&mut self) {
        self.again = self.feed.is_some();
    }
}

impl Projector {
    /// The models that follow their partitions.
    async fn followers(&self, partitions: u32) -> Result<BTreeSet<&'static str>, Error> {
        let all = progress::progress(&self.looks).await?;
        let follows = |model: &&dyn ReadModel| {
            let own = all.iter().find(|progress| progress.name == model.name());
            own.is_some_and(|progress| handover::follows(progress, *model, partitions))
        };
        let models = self.models.iter().map(AsRef::as_ref);
        Ok(models.filter(follows).map(|model| model.name()).collect())
    }

    /// Takes batches into all models that follow their lanes. What one of them lacks before is read from the log.
    pub(super) async fn take_all(&self, batches: &[Batch]) -> Result<(), Error> {
        let models: Vec<_> = self.models.iter().map(AsRef::as_ref).collect();
        while let Taken::Behind(gaps) = self.take(&models, batches).await? {
            for gap in gaps {
                self.fill(gap).await?;
            }
        }
        Ok(())
    }

    /// Reads from the log what a model lacks of a lane.
    async fn fill(&self, gap: Gap) -> Result<(), Error> {
        let Gap { model, lane, mut after, until } = gap;
        let Lane::Partition { topic, .. } = lane else { return Ok(()) };
        tracing::info!(
            model, %lane, after = after.0, until = until.0,
            "{model} lacks the events of {lane} after position {after} up to {until}: they are read from the log"
        );
        let filter = Filter { categories: topic.categories(), until: Some(until), ..Filter::default() };
        while after < until {
            let mut events = self.store.read_each(after, BATCH, &filter).await?;
            let head = self.store.head().await?;
            if head.position < until {
                return Err(Error::Corrupt(format!(
                    "{lane} is at position {until}, and the log ends at {}",
                    head.position
                )));
            }
            let full = events.len() == BATCH as usize;
            let through = events.last().filter(|_| full).map_or(until, position_of);
            events.retain(|received| lane.holds(stream_of(received)));
            let delivery = Delivery { lane, epoch: head.epoch, after, events, through, offset: None };
            if self.take(&self.named(&[model]), &[delivery.into()]).await? != Taken::All {
                // Somebody else has moved it.
                return Ok(());
            }
            after = through;
        }
        Ok(())
    }
}

fn stream_of(received: &Received) -> &domain::StreamId {
    match received {
        Ok(recorded) => &recorded.stream,
        Err(unreadable) => &unreadable.stream,
    }
}
