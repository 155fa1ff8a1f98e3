//! What was read, beside the log.

use std::collections::BTreeMap;

use event_store::{Error, EventStore, Filter, Lane, Position, Raw};

use super::finding::Finding;
use super::partition::{Partition, digest};

/// Events that are read from the log at once.
const PAGE: u32 = 2_000;

/// Walks through the log up to `head` and holds every partition, as far as it was read without a hole, against it.
pub(super) async fn with_log(
    store: &EventStore,
    partitions: &BTreeMap<Lane, Partition>,
    head: Position,
    count: u32,
) -> Result<Finding, Error> {
    let started = |(lane, partition): (&Lane, _)| (*lane, Comparison { partition, next: 0 });
    let mut lanes: BTreeMap<Lane, Comparison<'_>> = partitions.iter().map(started).collect();
    let (mut differences, mut after) = (Finding::default(), Position(0));
    let filter = Filter { until: Some(head), ..Filter::default() };
    while after < head {
        let page = store.read_raw(after, PAGE, &filter).await?;
        let Some(last) = page.last() else {
            differences.found(|| format!("the log has nothing between positions {after} and {head}"));
            break;
        };
        after = last.position;
        for raw in &page {
            let lane = Lane::of(&raw.stream, count);
            if let Some(comparison) = lanes.get_mut(&lane) {
                comparison.see(lane, raw, &mut differences);
            }
        }
    }
    lanes.iter().for_each(|(lane, comparison)| comparison.rest(*lane, head, &mut differences));
    Ok(differences)
}

struct Comparison<'a> {
    partition: &'a Partition,
    /// The next of the events that were taken.
    next: usize,
}

impl Comparison<'_> {
    /// The lane's next event in the log.
    fn see(&mut self, lane: Lane, raw: &Raw, differences: &mut Finding) {
        if raw.position > self.partition.position() {
            // What was not read is missing, and told as that.
            return;
        }
        let taken = self.partition.taken();
        while let Some((position, _)) = taken.get(self.next).filter(|(position, _)| *position < raw.position)
        {
            differences.found(|| format!("{lane} has an event at position {position}, and the log has not"));
            self.next += 1;
        }
        match taken.get(self.next) {
            Some((position, found)) if *position == raw.position => {
                self.next += 1;
                if *found != digest(raw) {
                    differences
                        .found(|| format!("position {position} of {lane} is another event in the log"));
                }
            }
            _ => differences.found(|| format!("{lane} passes over position {}", raw.position)),
        }
    }

    /// What was taken of the time that was compared, and is not in the log.
    fn rest(&self, lane: Lane, head: Position, differences: &mut Finding) {
        for (position, _) in
            self.partition.taken()[self.next..].iter().filter(|(position, _)| *position <= head)
        {
            differences.found(|| format!("{lane} has an event at position {position}, and the log has not"));
        }
    }
}
