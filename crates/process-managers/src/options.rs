//! How a process manager is set up.

use std::time::Duration;

/// When money that is held becomes ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CaptureWhen {
    /// With each shipment, its value.
    #[default]
    AtShipment,
    /// All of it, with the authorisation.
    AtOnce,
}

/// How a process manager is set up.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// When money that is held becomes ours.
    pub capture: CaptureWhen,
    /// Steps that this runner has under way at once; one gateway gets three quarters of them at most.
    pub in_flight_max: usize,
    /// How long a claim or the lead outlives its runner. Renewed three times as often.
    pub lease: Duration,
    /// How often the table is looked at without any other reason to.
    pub poll: Duration,
    /// The pause after the first try that settled nothing; each further one is twice as long.
    pub pause_first: Duration,
    /// The longest pause.
    pub pause_max: Duration,
    /// How long one try may take at all.
    pub try_max: Duration,
    /// How long a clean stop waits for what is under way.
    pub stop_max: Duration,
    /// How long steps are kept after they are done.
    pub keep_done: Duration,
    /// How often those that were kept so long are deleted.
    pub tidy_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capture: CaptureWhen::default(),
            in_flight_max: 128,
            lease: Duration::from_secs(10),
            poll: Duration::from_millis(200),
            pause_first: Duration::from_millis(100),
            pause_max: Duration::from_secs(30),
            try_max: Duration::from_secs(60),
            stop_max: Duration::from_secs(5),
            keep_done: Duration::from_secs(30 * 24 * 60 * 60),
            tidy_every: Duration::from_secs(60),
        }
    }
}

impl Options {
    /// The pause after so many tries that settled nothing.
    pub(crate) fn pause(&self, attempts: u32) -> Duration {
        let doubled = attempts.saturating_sub(1).min(20);
        self.pause_first.saturating_mul(1 << doubled).min(self.pause_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let options = Options::default();
        let pauses = [1, 2, 3, 9, 10, u32::MAX].map(|attempts| options.pause(attempts).as_millis());
        assert_eq!(pauses, [100, 200, 400, 25_600, 30_000, 30_000]);
    }
}
