//! Numbers that follow from a seed, on every machine and with every version of everything: SplitMix64.

use std::time::Duration;

use uuid::Uuid;

#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another one, for somebody whose numbers must not depend on how many others have taken.
    pub(super) fn of(seed: u64, whose: u64) -> Self {
        let mut own = Self(seed ^ whose.wrapping_mul(0xA24B_AED4_963E_E407));
        own.next();
        own
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `low` up to `high`, both possible.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    pub(super) fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.between(1, 100) <= chance
    }

    pub(super) fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        let last = u64::try_from(all.len()).unwrap() - 1;
        all[usize::try_from(self.between(0, last)).unwrap()].clone()
    }

    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        for place in (1..all.len()).rev() {
            let other = self.between(0, u64::try_from(place).unwrap());
            all.swap(place, usize::try_from(other).unwrap());
        }
    }

    /// An `Idempotency-Key`.
    pub(super) fn key(&mut self) -> Uuid {
        let halves = (u128::from(self.next()) << 64) | u128::from(self.next());
        uuid::Builder::from_random_bytes(halves.to_be_bytes()).into_uuid()
    }
}
