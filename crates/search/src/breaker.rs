//! Whoever does not answer is left alone for a while: callers then go elsewhere at once, and do not wait for a time limit each.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row after which it rests.
const FAILURES_MAX: u32 = 3;
const REST_MIN: Duration = Duration::from_millis(500);
const REST_MAX: Duration = Duration::from_secs(15);

/// What is known of a server.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    failures: u32,
    /// Nobody asks before.
    rests_until: Option<Instant>,
}

impl Breaker {
    /// Whether it may be asked now. After a rest one caller may, and the others when that one was answered.
    pub(crate) fn allows(&self, now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.rests_until {
            None => true,
            Some(until) if until > now => false,
            Some(_) => {
                known.rests_until = Some(now + known.rest());
                true
            }
        }
    }

    /// It has answered. `true`: it had rested before.
    pub(crate) fn answered(&self) -> bool {
        let known = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        known.rests_until.is_some()
    }

    /// It has not answered. `true`: it rests now, and had not rested before.
    pub(crate) fn failed(&self, now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.failures = known.failures.saturating_add(1);
        if known.failures < FAILURES_MAX {
            return false;
        }
        let rested = known.rests_until.is_some();
        known.rests_until = Some(now + known.rest());
        !rested
    }
}

impl Known {
    /// Longer with every failure.
    fn rest(&self) -> Duration {
        let doublings = self.failures.saturating_sub(FAILURES_MAX).min(16);
        REST_MIN.saturating_mul(1 << doublings).min(REST_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_after_failures_in_a_row_longer_each_time_and_is_asked_by_one_then() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 1..FAILURES_MAX {
            breaker.failed(start);
            assert!(breaker.allows(start));
        }
        breaker.failed(start);
        assert!(!breaker.allows(start));
        let later = start + REST_MIN;
        assert!(breaker.allows(later));
        assert!(!breaker.allows(later), "only one asks");
        breaker.failed(later);
        assert!(!breaker.allows(later + REST_MIN), "a longer rest");
        assert!(breaker.allows(later + REST_MIN * 2));
        breaker.answered();
        assert!(breaker.allows(later));
    }

    #[test]
    fn an_answer_in_between_counts() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..10 {
            breaker.failed(now);
            breaker.answered();
        }
        assert!(breaker.allows(now));
    }
}
