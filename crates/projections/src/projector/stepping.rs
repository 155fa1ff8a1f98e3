//! Going on, step by step, whatever happens on the way.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::Error;

/// The pause after a first failure; each further one is twice as long, up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// What goes on by steps. A step that is dropped in the middle has not happened.
pub(super) trait Stepping {
    /// The next step.
    fn step(&mut self) -> impl Future<Output = Result<(), Error>> + Send;

    /// The last one failed: look again where everything is.
    fn look_again(&mut self);
}

/// Steps until it is told to stop. What fails is tried again with growing pauses.
///
/// # Errors
/// Those that no waiting mends.
pub(super) async fn keep_stepping(
    mut stepping: impl Stepping,
    shutdown: &CancellationToken,
) -> Result<(), Error> {
    let mut pause = PAUSE;
    loop {
        let stepped = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(()),
            stepped = stepping.step() => stepped,
        };
        let Err(error) = stepped else {
            pause = PAUSE;
            continue;
        };
        stepping.look_again();
        if error.is_final() {
            tracing::error!(%error, "the projector stops: {error}");
            return Err(error);
        }
        report(&error, pause);
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

fn report(error: &Error, pause: Duration) {
    let pause = pause.as_millis() as u64;
    if error.is_outage() {
        tracing::warn!(%error, pause, "the projector tries again: what it needs does not answer");
    } else {
        tracing::error!(%error, pause, "the projector cannot go on; it tries again, and skips nothing");
    }
}
