//! What a rebuild is at, for whoever watches.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use event_store::Position;

/// What a rebuild does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It waits for its turn.
    Waiting,
    /// It folds the log from the beginning.
    Building,
    /// It compares the new rows with the running ones.
    Comparing,
    /// It folds what is left, and swaps.
    Swapping,
    /// It is over.
    Done,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Waiting, Self::Building, Self::Comparing, Self::Swapping, Self::Done];
}

/// What a rebuild is at. Cheap to look at.
#[derive(Debug, Default)]
pub struct Meter {
    stage: AtomicU8,
    position: AtomicU64,
    target: AtomicU64,
    events: AtomicU64,
}

impl Meter {
    /// What it does.
    pub fn stage(&self) -> Stage {
        let stage = usize::from(self.stage.load(Ordering::Relaxed));
        Stage::ALL.get(stage).copied().unwrap_or(Stage::Waiting)
    }

    /// How far in the log it is.
    pub fn position(&self) -> Position {
        Position(self.position.load(Ordering::Relaxed))
    }

    /// How far it wants to come.
    pub fn target(&self) -> Position {
        Position(self.target.load(Ordering::Relaxed))
    }

    /// Events that it has folded since it began.
    pub fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    pub(super) fn begins(&self, stage: Stage) {
        let index = Stage::ALL.iter().position(|each| *each == stage).unwrap_or_default();
        self.stage.store(index as u8, Ordering::Relaxed);
    }

    pub(super) fn aims(&self, position: Position, target: Position) {
        self.position.store(position.0, Ordering::Relaxed);
        self.target.store(target.0, Ordering::Relaxed);
    }

    pub(super) fn reaches(&self, position: Position) {
        self.position.store(position.0, Ordering::Relaxed);
    }

    pub(super) fn folded(&self, events: usize) {
        self.events.fetch_add(events as u64, Ordering::Relaxed);
    }
}
