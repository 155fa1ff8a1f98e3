//! Which positions are acknowledged: they are in order as they are sent, and in any order as they are acknowledged.

use std::collections::VecDeque;

use event_store::Position;

/// From the first position that is not acknowledged on.
#[derive(Debug)]
pub(crate) struct Window {
    reached: Position,
    acknowledged: VecDeque<bool>,
}

impl Window {
    /// All up to there is acknowledged, and nothing is under way.
    pub(crate) fn at(reached: Position) -> Self {
        Self { reached, acknowledged: VecDeque::new() }
    }

    /// All up to here is acknowledged.
    pub(crate) fn reached(&self) -> Position {
        self.reached
    }

    /// How many positions are between that and the last that was opened.
    pub(crate) fn len(&self) -> usize {
        self.acknowledged.len()
    }

    /// The next position is under way; or it needs not be sent.
    pub(crate) fn open(&mut self, needs_sending: bool) {
        self.acknowledged.push_back(!needs_sending);
        self.advance();
    }

    /// A position that was opened is acknowledged.
    pub(crate) fn acknowledge(&mut self, position: Position) {
        let index = position.0.checked_sub(self.reached.0 + 1).map(|index| index as usize);
        if let Some(slot) = index.and_then(|index| self.acknowledged.get_mut(index)) {
            *slot = true;
        }
        self.advance();
    }

    fn advance(&mut self) {
        while self.acknowledged.front() == Some(&true) {
            self.acknowledged.pop_front();
            self.reached.0 += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the order: it has reached what comes before the first that is not acknowledged, and ends at the end.
        #[test]
        fn it_never_passes_what_is_not_acknowledged(
            start in 0..1_000_u64,
            needs_sending in proptest::collection::vec(any::<bool>(), 1..50),
            order in any::<prop::sample::Index>(),
        ) {
            let mut window = Window::at(Position(start));
            needs_sending.iter().for_each(|needs| window.open(*needs));
            let mut missing: Vec<u64> = (0..needs_sending.len())
                .filter(|index| needs_sending[*index])
                .map(|index| start + 1 + index as u64)
                .collect();
            while !missing.is_empty() {
                prop_assert_eq!(window.reached().0, missing.iter().min().unwrap() - 1);
                let acknowledged = missing.remove(order.index(missing.len()));
                window.acknowledge(Position(acknowledged));
            }
            prop_assert_eq!(window.reached().0, start + needs_sending.len() as u64);
            prop_assert_eq!(window.len(), 0);
        }
    }
}
