//! The log as it comes by Kafka: a feed of the partitions that a consumer group gives to this process.
//!
//! Nothing of it is remembered in Kafka. Where to go on is asked of [`Places`], which keeps it with what was made of the events;
//! what is missing in a partition comes from the log. So whatever happens to the brokers, each lane reads as the log.

mod hole;
mod member;
mod reading;
mod start;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_store::{Boxed, Delivery, Error, EventStore, Feed, Lane, Place, Places, Raw, Topic};
use rdkafka::Message;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::BorrowedMessage;
use uuid::Uuid;

use self::member::{Change, Member, at_once};
use self::reading::{Reading, Stop};
use crate::connection::Kafka;
use crate::envelope;

/// Events in the deliveries of one call, at most.
const BATCH: usize = 500;
/// How often Kafka is told how far the group is.
const TELL: Duration = Duration::from_secs(5);

/// The partitions of a consumer group's member, each from its stored place on.
pub struct KafkaFeed {
    store: EventStore,
    places: Arc<dyn Places>,
    kafka: Kafka,
    group: String,
    topics: Vec<String>,
    epoch: Uuid,
    member: Member,
    lanes: BTreeMap<Lane, Reading>,
    /// What was delivered last was not taken.
    restarting: bool,
    told: Instant,
}

impl std::fmt::Debug for KafkaFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaFeed")
            .field("group", &self.group)
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}

pub(crate) use start::check;

pub(crate) fn unavailable(error: KafkaError) -> Error {
    Error::BrokerUnavailable(error.to_string())
}

impl KafkaFeed {
    /// Joins a consumer group that shares all partitions of these topics. It leaves the group when it is dropped.
    ///
    /// # Errors
    /// An outage when a broker or a topic is not there (yet), or the database; [`Error::Corrupt`] when a topic has another number
    /// of partitions than is configured.
    pub async fn open(
        store: EventStore,
        kafka: &Kafka,
        group: &str,
        topics: &[Topic],
        places: Arc<dyn Places>,
    ) -> Result<Self, Error> {
        let topics: Vec<String> = topics.iter().map(|topic| kafka.name(*topic)).collect();
        check(kafka, &topics).await?;
        let epoch = store.head().await?.epoch;
        let member = Member::join(kafka, group, &topics)?;
        Ok(Self {
            store,
            places,
            kafka: kafka.clone(),
            group: group.to_owned(),
            topics,
            epoch,
            member,
            lanes: BTreeMap::new(),
            restarting: false,
            told: Instant::now(),
        })
    }

    /// The lanes that it has now.
    pub fn lanes(&self) -> impl Iterator<Item = Lane> + '_ {
        self.lanes.keys().copied()
    }

    async fn deliveries(&mut self) -> Result<Vec<Delivery>, Error> {
        self.tell();
        loop {
            self.settle().await?;
            if !self.lanes.values().any(|reading| reading.moved() || reading.missing().is_some()) {
                self.stopped()?;
                self.gather().await?;
                if self.member.change().is_some() {
                    // A lane that was taken away meanwhile must not be delivered any more.
                    continue;
                }
            }
            self.fill().await?;
            let deliveries = self.deliver().await?;
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
        }
    }

    /// Takes the partitions that the group has given, gives up those that it has taken, and goes back when that was asked.
    async fn settle(&mut self) -> Result<(), Error> {
        while let Some(change) = self.member.change() {
            match change {
                Change::Assigned(partitions) => {
                    let lanes = self.member.lanes(&partitions);
                    let places = self.places_of(&lanes).await?;
                    let offsets = self.offsets(&places).await?;
                    self.member.take(&offsets)?;
                    self.begin(places);
                }
                Change::Revoked(partitions) => {
                    self.member.lanes(&partitions).iter().for_each(|lane| drop(self.lanes.remove(lane)));
                }
            }
            self.member.settled();
            metrics::gauge!("kafka_feed_lanes").set(self.lanes.len() as f64);
            tracing::debug!(lanes = self.lanes.len(), "the group {} has moved its partitions", self.group);
        }
        if self.restarting {
            let lanes: Vec<_> = self.lanes.keys().copied().collect();
            let places = self.places_of(&lanes).await?;
            let offsets = self.offsets(&places).await?;
            self.member.seek(&offsets).await?;
            self.begin(places);
            self.restarting = false;
        }
        Ok(())
    }

    fn begin(&mut self, places: Vec<(Lane, Place)>) {
        let epoch = self.epoch;
        self.lanes.extend(places.into_iter().map(|(lane, place)| (lane, Reading::begin(place, epoch))));
    }

    async fn places_of(&self, lanes: &[Lane]) -> Result<Vec<(Lane, Place)>, Error> {
        if lanes.is_empty() {
            return Ok(Vec::new());
        }
        let places = self.places.places(lanes).await?;
        let placed = |lane: &Lane| places.iter().find(|(of, _)| of == lane).copied();
        let place = |lane| placed(lane).ok_or_else(|| Error::Corrupt(format!("{lane} has no stored place")));
        lanes.iter().map(place).collect()
    }

    /// Waits for records, and takes those that are there.
    async fn gather(&mut self) -> Result<(), Error> {
        let consumer = self.member.consumer();
        let mut received = self.member.wait(&consumer).await;
        while let Some(message) = received {
            self.receive(message)?;
            let waiting: usize = self.lanes.values().map(|reading| reading.raws().len()).sum();
            if waiting >= BATCH || self.lanes.values().any(|reading| reading.missing().is_some()) {
                break;
            }
            received = at_once(&consumer);
        }
        Ok(())
    }

    fn receive(&mut self, received: KafkaResult<BorrowedMessage<'_>>) -> Result<(), Error> {
        let message = match received {
            Ok(message) => message,
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => {
                self.rejoin()?;
                return Err(unavailable(error));
            }
            Err(error) => {
                tracing::warn!(%error, "Kafka's client goes on after: {error}");
                return Ok(());
            }
        };
        let Some(lane) = self.member.lane(message.topic(), message.partition()) else { return Ok(()) };
        let Some(reading) = self.lanes.get_mut(&lane).filter(|reading| reading.stopped().is_none()) else {
            return Ok(());
        };
        match envelope::parse(&message) {
            Ok(record) => reading.see(lane, message.offset(), record),
            Err(malformed) => reading.stop(Stop::Foreign {
                topic: malformed.topic,
                partition: malformed.partition,
                offset: malformed.offset,
                reason: malformed.why,
            }),
        }
        Ok(())
    }

    /// The client is of no use any more: a new one begins from the stored places.
    fn rejoin(&mut self) -> Result<(), Error> {
        self.lanes.clear();
        self.member = Member::join(&self.kafka, &self.group, &self.topics)?;
        Ok(())
    }

    fn stopped(&self) -> Result<(), Error> {
        self.lanes.values().find_map(Reading::stopped).map_or(Ok(()), |stop| Err(stop.clone().into()))
    }

    /// What has come, of all lanes. After the events are opened nothing waits any more: what is dropped before is delivered the
    /// next time.
    async fn deliver(&mut self) -> Result<Vec<Delivery>, Error> {
        let raws: Vec<Raw> = self.lanes.values().flat_map(Reading::raws).cloned().collect();
        let mut opened = self.store.open_each(raws).await?.into_iter();
        let moved = self.lanes.iter_mut().filter(|(_, reading)| reading.moved());
        Ok(moved.map(|(lane, reading)| reading.deliver(*lane, &mut opened)).collect())
    }

    /// What was delivered before is taken: tools may know.
    fn tell(&mut self) {
        if self.told.elapsed() < TELL || self.restarting {
            return;
        }
        let offsets: Vec<_> =
            self.lanes.iter().filter_map(|(lane, reading)| Some((*lane, reading.told()?))).collect();
        if !offsets.is_empty() {
            self.member.tell(&offsets);
        }
        self.told = Instant::now();
    }
}

impl Feed for KafkaFeed {
    fn next(&mut self) -> Boxed<'_, Result<Vec<Delivery>, Error>> {
        Box::pin(self.deliveries())
    }

    fn restart(&mut self) -> Boxed<'_, Result<(), Error>> {
        self.restarting = true;
        Box::pin(self.settle())
    }
}
