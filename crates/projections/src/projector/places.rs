//! How far each read model is.

use std::collections::BTreeMap;

use event_store::{EventStore, Position};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::{Error, Progress, ReadModel, progress};

/// How far each model is in one log.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) epoch: Uuid,
    positions: BTreeMap<&'static str, Position>,
}

impl Places {
    /// Looks. Models that nobody has folded yet begin at the beginning, as do those whose rows have an older shape.
    pub(super) async fn find(
        read: &PgPool,
        store: &EventStore,
        models: &[Box<dyn ReadModel>],
    ) -> Result<Self, Error> {
        let epoch = store.head().await?.epoch;
        let mut connection = read.acquire().await?;
        progress::begin(&mut connection, models, epoch).await?;
        let found = progress::load(&mut connection).await?;
        drop(connection);
        let mut positions = BTreeMap::new();
        for model in models {
            let Some(place) = found.iter().find(|place| place.name == model.name()) else { continue };
            check_epoch(place, epoch)?;
            let position = match place.version.cmp(&model.version()) {
                std::cmp::Ordering::Less => begin_anew(read, model.as_ref()).await?,
                std::cmp::Ordering::Equal => place.position,
                std::cmp::Ordering::Greater => return Err(newer(place, model.as_ref())),
            };
            positions.insert(model.name(), position);
        }
        Ok(Self { epoch, positions })
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

fn newer(place: &Progress, model: &dyn ReadModel) -> Error {
    Error::Newer { model: place.name.clone(), found: place.version, known: model.version() }
}

/// Empties the tables of a model whose rows have an older shape, in one transaction with its progress.
async fn begin_anew(read: &PgPool, model: &dyn ReadModel) -> Result<Position, Error> {
    let mut transaction = read.begin().await?;
    let places = progress::lock(&mut transaction, &[model.name()]).await?;
    // Another projector may have done it while this one waited.
    if let Some(place) = places.iter().find(|place| place.version >= model.version()) {
        return Ok(place.position);
    }
    for table in model.tables() {
        sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&mut *transaction).await?;
    }
    progress::store(&mut transaction, &[model], Position(0)).await?;
    transaction.commit().await?;
    tracing::info!(
        model = model.name(),
        version = model.version(),
        "the rows have another shape now: they are folded anew"
    );
    Ok(Position(0))
}
