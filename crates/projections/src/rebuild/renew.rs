//! Read models whose rows are of an older shape are rebuilt by the projector: until the swap the old rows are served.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use event_store::EventStore;
use sqlx::PgPool;

use super::{Error, Options, run, workers};
use crate::{ReadModel, progress};

/// How often it is looked whether there are such.
const EVERY: Duration = Duration::from_secs(5);

/// Rebuilds those of these models whose rows are of an older shape, whenever there are such.
pub(crate) async fn keep_renewed(
    read: &PgPool,
    store: &EventStore,
    models: Vec<Box<dyn ReadModel>>,
) -> Infallible {
    let models: Vec<Arc<dyn ReadModel>> = models.into_iter().map(Arc::from).collect();
    loop {
        for model in older(read, &models).await {
            let name = model.name();
            match renew(read, store, model).await {
                Ok(()) => {}
                Err(Error::Busy { .. }) => {
                    tracing::debug!(model = name, "{name} is rebuilt by another process")
                }
                Err(error) => tracing::error!(
                    model = name, %error,
                    "{name} cannot be rebuilt, its rows stay as they are; it is tried again: {error}"
                ),
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Those whose rows are of an older shape. With the database away there is nothing to do: whoever folds says so.
async fn older(read: &PgPool, models: &[Arc<dyn ReadModel>]) -> Vec<Arc<dyn ReadModel>> {
    let all = progress::progress(read).await.unwrap_or_default();
    let is_older = |model: &&Arc<dyn ReadModel>| {
        all.iter().any(|progress| progress.name == model.name() && progress.version < model.version())
    };
    models.iter().filter(is_older).cloned().collect()
}

async fn renew(read: &PgPool, store: &EventStore, model: Arc<dyn ReadModel>) -> Result<(), Error> {
    let (name, version) = (model.name(), model.version());
    tracing::info!(
        model = name,
        version,
        "the rows of {name} have another shape now: they are rebuilt beside the old ones"
    );
    let cores = available_parallelism().map_or(1, usize::from);
    let options =
        Options { workers: workers(model.as_ref(), cores), restart: false, accept_differences: false };
    let outcome = run(read, store, model, options, Arc::default()).await?;
    if let Some(position) = outcome.swapped {
        let (events, position) = (outcome.events, position.0);
        tracing::info!(model = name, version, events, position, "{name} is rebuilt and swapped in");
    }
    Ok(())
}
