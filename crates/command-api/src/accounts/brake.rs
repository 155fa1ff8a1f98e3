//! A brake on guessing passwords. Kept in memory, by the keyed hash of the address: addresses without an account are braked
//! alike, so that nothing is learnt from it, and a guess costs no write. Each node counts for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use domain::customer::EmailIndex;

use super::Error;

/// So many attempts,
const ATTEMPTS_MAX: u32 = 10;
/// within this time.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Addresses remembered at once; those tried least recently are forgotten first.
const ADDRESSES_MAX: u64 = 100_000;

/// Attempts on one address since the first of them.
#[derive(Debug)]
struct Attempts {
    since: Instant,
    count: AtomicU32,
}

#[derive(Debug, Clone)]
pub(super) struct Brake(moka::sync::Cache<EmailIndex, Arc<Attempts>>);

impl Default for Brake {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(ADDRESSES_MAX).time_to_live(WINDOW).build())
    }
}

impl Brake {
    /// Counts an attempt before it is made: a hundred at once are a hundred.
    pub(super) fn attempt(&self, index: &EmailIndex) -> Result<(), Error> {
        let fresh = || Arc::new(Attempts { since: Instant::now(), count: AtomicU32::new(0) });
        let attempts = self.0.get_with_by_ref(index, fresh);
        if attempts.count.fetch_add(1, Ordering::Relaxed) < ATTEMPTS_MAX {
            return Ok(());
        }
        let left = WINDOW.saturating_sub(attempts.since.elapsed());
        Err(Error::TooManyAttempts { seconds: left.as_secs() as u32 + 1 })
    }

    /// The right password was given: what was wrong before no longer counts.
    pub(super) fn release(&self, index: &EmailIndex) {
        self.0.invalidate(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(digit: &str) -> EmailIndex {
        EmailIndex::parse(&digit.repeat(64)).unwrap()
    }

    #[test]
    fn the_eleventh_attempt_waits_and_others_do_not() {
        let brake = Brake::default();
        for _ in 0..ATTEMPTS_MAX {
            brake.attempt(&index("a")).unwrap();
        }
        let error = brake.attempt(&index("a")).unwrap_err();
        assert!(
            matches!(error, Error::TooManyAttempts { seconds } if (890..=901).contains(&seconds)),
            "{error}"
        );
        brake.attempt(&index("b")).unwrap();
    }

    #[test]
    fn the_right_password_releases_it() {
        let brake = Brake::default();
        for _ in 0..ATTEMPTS_MAX {
            brake.attempt(&index("a")).unwrap();
        }
        brake.release(&index("a"));
        brake.attempt(&index("a")).unwrap();
    }
}
