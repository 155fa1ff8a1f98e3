//! What there is: the lease and the checkpoint in PostgreSQL, the partitions, and the relays.

use std::collections::VecDeque;

/// The partition that each event of the log is in, from position 1 on. The first has three, so that one of them can be lost between
/// two others; the second has one, so that partitions are not all as far.
pub(super) const LOG: [usize; 4] = [0, 1, 0, 0];
pub(super) const PARTITIONS: usize = 2;
pub(super) const RELAYS: usize = 2;
/// Everything is published.
pub(super) const HEAD: u8 = LOG.len() as u8;

/// A record of a partition, as far as the header rule looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Record {
    pub(super) position: u8,
    pub(super) prev: u8,
    /// Or a watermark.
    pub(super) event: bool,
}

/// `relay::place::Place`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) last_event: u8,
    pub(super) through: u8,
    pub(super) offset: Option<u8>,
}

/// `relay.checkpoints` and `relay.partitions`. When a lease is over is a matter of time, so any relay that waits may take the lead
/// at any moment: whoever led is then one that was frozen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Lease {
    pub(super) term: u8,
    pub(super) position: u8,
    pub(super) places: [Place; PARTITIONS],
}

/// `relay::tail::End`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct End {
    pub(super) place: Place,
    pub(super) complete: u8,
}

/// `relay::leading::Partition`, with what its producer has in flight.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Partition {
    pub(super) sent: Place,
    pub(super) acknowledged: Place,
    pub(super) complete: u8,
    pub(super) changed: bool,
    pub(super) in_flight: VecDeque<Record>,
}

/// A relay.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Relay {
    /// It does not lead.
    Waiting,
    /// It has taken the lead, knows what the lease said then, and looks where the partitions end, one after the other.
    Looking { lease: Lease, ends: Vec<End> },
    /// It publishes.
    Leading {
        term: u8,
        partitions: Vec<Partition>,
        sent: u8,
        /// The last acknowledged position of any partition; only a broken rule asks for it.
        newest: u8,
    },
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct State {
    pub(super) lease: Lease,
    pub(super) relays: Vec<Relay>,
    pub(super) kafka: [Vec<Record>; PARTITIONS],
    /// Records of producers that are gone: each may still arrive, at any time and in its order, or be lost.
    pub(super) late: Vec<(usize, VecDeque<Record>)>,
    pub(super) crashes_left: u8,
    pub(super) losses_left: u8,
    pub(super) watermarks_left: u8,
    /// A relay found another record than the one that was acknowledged.
    pub(super) contradicted: bool,
}

impl State {
    /// A relay ends: its producer is dropped, and what it had in flight is on its way all the same.
    pub(super) fn end(&mut self, relay: usize) {
        if let Relay::Leading { partitions, .. } = std::mem::replace(&mut self.relays[relay], Relay::Waiting)
        {
            let queues = partitions.into_iter().map(|each| each.in_flight).enumerate();
            self.late.extend(queues.filter(|(_, queue)| !queue.is_empty()));
        }
        // Which of them was first matters to nobody.
        self.late.sort();
    }
}

/// The events of a partition up to a position.
pub(super) fn events(partition: usize, until: u8) -> Vec<u8> {
    (1..=until).filter(|position| LOG[usize::from(*position) - 1] == partition).collect()
}
