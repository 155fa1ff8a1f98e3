//! Deleting steps that were done long ago, so that the table does not grow for ever.

use std::time::Duration;

use crate::{Runner, steps};

/// Steps deleted with one statement: few enough to hold nobody up.
const BATCH: u32 = 1_000;
/// When there is more to delete.
const PAUSE: Duration = Duration::from_millis(250);

/// Deletes now and then, when this runner leads, until it is time to stop.
pub(crate) async fn run(runner: &Runner) {
    let options = &runner.options;
    loop {
        let pause = match steps::delete_done(&runner.pool, runner.id, options.keep_done, BATCH).await {
            Ok(deleted) if deleted == u64::from(BATCH) => PAUSE.min(options.tidy_every),
            Ok(_) => options.tidy_every,
            Err(error) => {
                tracing::warn!(%error, "steps that were done long ago cannot be deleted; it is tried again");
                options.tidy_every
            }
        };
        tokio::select! {
            () = runner.shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
