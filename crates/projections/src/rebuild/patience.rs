//! How often what was in somebody's way is tried again.

use std::time::Duration;

use tokio::time::Instant;

use super::Error;

/// The pause after a first failure; each further one is twice as long, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A database that is away for longer ends a rebuild; the same command goes on with it.
const LONGEST: Duration = Duration::from_secs(60);

/// How long somebody has been trying.
pub(super) struct Patience {
    /// When it failed first.
    failed: Option<Instant>,
    pause: Duration,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { failed: None, pause: PAUSE }
    }

    /// Waits a little when trying again may help; hands the error back when not, or when it was tried for long enough.
    pub(super) async fn wait(&mut self, error: Error) -> Result<(), Error> {
        let failed = *self.failed.get_or_insert_with(Instant::now);
        if !error.is_outage() || failed.elapsed() > LONGEST {
            return Err(error);
        }
        tracing::debug!(%error, "the rebuild tries again");
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}
