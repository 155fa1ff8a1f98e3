//! How far the read models are that follow the log itself.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use event_store::{EventStore, Lane, Position};
use uuid::Uuid;

use super::handover;
use super::take::{ATTEMPT_MAX, in_time};
use crate::{Error, Progress, ReadModel, Reads, progress};

/// How far each model that follows the log is in it.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) epoch: Uuid,
    positions: BTreeMap<&'static str, Position>,
    /// Some are left out until they are rebuilt: look again.
    pub(super) is_partial: bool,
}

impl Places {
    /// Looks. Models that nobody has folded yet begin at the beginning. Those whose rows have an older shape are left out: they
    /// are rebuilt, and the old rows are served until then.
    ///
    /// With `partitions`, those that follow just these partitions of their topics are left to the feed. All others come back to
    /// the log.
    pub(super) async fn find(
        read: impl Reads<'_>,
        store: &EventStore,
        models: &[Box<dyn ReadModel>],
        partitions: Option<u32>,
    ) -> Result<Self, Error> {
        let epoch = store.head().await?.epoch;
        progress::begin(read, models, epoch).await?;
        let found = progress::load(read).await?;
        let (mut positions, mut is_partial) = (BTreeMap::new(), false);
        for model in models {
            let Some(place) = found.iter().find(|place| place.name == model.name()) else { continue };
            check_epoch(place, epoch)?;
            let position = match place.version.cmp(&model.version()) {
                Ordering::Less => {
                    is_partial = true;
                    continue;
                }
                Ordering::Greater => return Err(newer(place, model.as_ref())),
                Ordering::Equal if place.place(Lane::Log).is_some() => place.position(),
                Ordering::Equal
                    if partitions.is_some_and(|of| handover::follows(place, model.as_ref(), of)) =>
                {
                    continue;
                }
                Ordering::Equal => {
                    in_time(ATTEMPT_MAX, handover::take_back(read.pool(), model.as_ref())).await?
                }
            };
            positions.insert(model.name(), position);
        }
        Ok(Self { epoch, positions, is_partial })
    }

    /// Models that have come equally far, the foremost first.
    pub(super) fn groups(&self) -> Vec<(Position, Vec<&'static str>)> {
        let mut groups: BTreeMap<Position, Vec<&'static str>> = BTreeMap::new();
        for (name, position) in &self.positions {
            groups.entry(*position).or_default().push(name);
        }
        groups.into_iter().rev().collect()
    }

    pub(super) fn advance(&mut self, names: &[&'static str], reached: Position) {
        self.positions.extend(names.iter().map(|name| (*name, reached)));
    }
}

/// Positions of another log say nothing about this one.
pub(super) fn check_epoch(place: &Progress, log: Uuid) -> Result<(), Error> {
    if place.epoch == log {
        return Ok(());
    }
    Err(Error::OtherEpoch { model: place.name.clone(), folded: place.epoch, log })
}

pub(super) fn newer(place: &Progress, model: &dyn ReadModel) -> Error {
    Error::Newer { model: place.name.clone(), found: place.version, known: model.version() }
}
