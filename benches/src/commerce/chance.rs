//! A number that nobody foresees, light and good enough to choose a product by (xorshift64*).

pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        number as usize % bound.max(1)
    }

    pub(super) fn of<'a>(&mut self, all: &'a [String]) -> &'a str {
        let index = self.below(all.len());
        all.get(index).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_up() {
        let (mut chance, mut seen) = (Chance::new(7), [0_u32; 40]);
        (0..40_000).for_each(|_| seen[chance.below(40)] += 1);
        assert!(seen.iter().all(|times| (800..1200).contains(times)), "{seen:?}");
    }
}
