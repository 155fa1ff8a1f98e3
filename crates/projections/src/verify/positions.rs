//! Positions and versions: 1, 2, 3, … without gaps.

use std::collections::HashMap;

use domain::StreamId;
use event_store::Position;

use super::Check;
use super::finding::{Finding, counted};

/// What was seen of positions and versions.
#[derive(Debug, Default)]
pub(super) struct Positions {
    count: u64,
    last: u64,
    gaps: Finding,
    versions: HashMap<StreamId, u32>,
    jumps: Finding,
}

impl Positions {
    pub(super) fn see(&mut self, position: Position, stream: &StreamId, version: u32) {
        self.count += 1;
        let expected = self.last + 1;
        if position.0 != expected {
            self.gaps.found(|| format!("position {position} follows {}", expected - 1));
        }
        self.last = position.0;
        let expected = self.versions.get(stream).copied().unwrap_or(0) + 1;
        if version != expected {
            self.jumps.found(|| {
                format!("{stream} has version {version} after {} at position {position}", expected - 1)
            });
        }
        self.versions.insert(stream.clone(), version);
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn finish(mut self, head: Position) -> Vec<Check> {
        if self.last != head.0 {
            let last = self.last;
            self.gaps.found(|| format!("the log ends at position {last}, and its head says {head}"));
        }
        let streams = counted(self.versions.len() as u64, "stream");
        vec![
            self.gaps.check("positions are gapless", counted(self.count, "event")),
            self.jumps.check("versions are gapless", streams),
        ]
    }
}
