//! Between the log and the partitions: a model that is near the end of the log goes on in the partitions of its topics, and one
//! whose partitions are not followed any more goes back to the log.

use event_store::{Lane, Place, Position};
use sqlx::PgPool;

use crate::{Error, Progress, ReadModel, progress};

/// The partitions that a model follows, when every topic has so many.
pub(super) fn lanes(model: &dyn ReadModel, partitions: u32) -> Vec<Lane> {
    let folds = |lane: &Lane| matches!(lane, Lane::Partition { topic, .. } if model.topics().contains(topic));
    Lane::all(partitions).filter(folds).collect()
}

/// Whether a model follows just these partitions.
pub(super) fn follows(progress: &Progress, model: &dyn ReadModel, partitions: u32) -> bool {
    let wanted = lanes(model, partitions);
    progress.lanes.len() == wanted.len() && wanted.iter().all(|lane| progress.place(*lane).is_some())
}

/// From here on a model follows its partitions, from where it is in the log. Nothing happens when it does so already.
pub(super) async fn hand_over(read: &PgPool, model: &dyn ReadModel, partitions: u32) -> Result<(), Error> {
    let mut transaction = read.begin().await?;
    let found = progress::lock(&mut transaction, &[model.name()]).await?;
    let Some(progress) = found.first() else { return Ok(()) };
    let [(Lane::Log, Place { position, .. })] = progress.lanes[..] else { return Ok(()) };
    if progress.version != model.version() {
        return Ok(());
    }
    let lanes = lanes(model, partitions);
    progress::move_to(&mut transaction, model, progress.epoch, &lanes, position).await?;
    transaction.commit().await?;
    tracing::info!(
        model = model.name(),
        position = position.0,
        "the read model {} has caught up with the log and follows its partitions from position {position}",
        model.name()
    );
    Ok(())
}

/// From here on a model follows the log, from the position that all its lanes have reached. What comes again changes nothing.
pub(super) async fn take_back(read: &PgPool, model: &dyn ReadModel) -> Result<Position, Error> {
    let mut transaction = read.begin().await?;
    let found = progress::lock(&mut transaction, &[model.name()]).await?;
    let Some(progress) = found.first() else { return Ok(Position(0)) };
    let position = progress.position();
    // Another projector may have done it while this one waited.
    if progress.place(Lane::Log).is_none() {
        progress::move_to(&mut transaction, model, progress.epoch, &[Lane::Log], position).await?;
        transaction.commit().await?;
        tracing::info!(
            model = model.name(),
            position = position.0,
            "the read model {} goes back to the log, to position {position}",
            model.name()
        );
    }
    Ok(position)
}
